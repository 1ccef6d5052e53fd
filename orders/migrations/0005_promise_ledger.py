"""Who was told what of a promise, and what buyers said of delays."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("kernel", "0003_invariant_checks"), ("orders", "0004_holds")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ConsentQuestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "number",
                    models.PositiveSmallIntegerField(
                        help_text="The first delay of the group is 1."
                    ),
                ),
                (
                    "first_latest",
                    models.DateTimeField(help_text="The last day that was promised first."),
                ),
                ("asked_latest", models.DateTimeField(null=True)),
                (
                    "silence",
                    models.CharField(
                        choices=[("consent", "Silence is consent"), ("cancel", "Silence cancels")],
                        max_length=8,
                    ),
                ),
                ("until", models.DateTimeField()),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.CharField(max_length=120)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.deliverygroup",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
                (
                    "promise",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.promise",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="consent_question_order"),
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=["until"],
                        name="consent_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "number"), name="consent_question_numbered"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=("group",),
                        name="consent_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("silence__in", ["consent", "cancel"])),
                        name="consent_silence_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gte", models.F("asked_at"))),
                        name="consent_until_follows",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "choice",
                    models.CharField(
                        choices=[
                            ("accept", "The new date is accepted"),
                            ("cancel_late", "What is late is cancelled"),
                            ("cancel_all", "Everything not sent is cancelled"),
                            ("replaced", "Another question took its place"),
                            ("gone", "It left, or was cancelled, before anybody answered"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "by",
                    models.CharField(
                        choices=[
                            ("link", "The buyer, on the tracking page"),
                            ("agent", "An agent, for the buyer"),
                            ("silence", "Nobody answered"),
                            ("system", "By itself"),
                        ],
                        max_length=8,
                    ),
                ),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("text", models.TextField()),
                ("language", models.CharField(default="en", max_length=5)),
                ("cancelled_units", models.PositiveIntegerField(default=0)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "question",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answer",
                        to="orders.consentquestion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "choice__in",
                                ["accept", "cancel_late", "cancel_all", "replaced", "gone"],
                            )
                        ),
                        name="consent_choice_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("by__in", ["link", "agent", "silence", "system"])),
                        name="consent_by_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromiseTold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("buyer", "The buyer"),
                            ("channel", "The channel"),
                            ("agent", "An agent"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "by",
                    models.CharField(
                        help_text="E-mail, or the code of the channel's endpoint.", max_length=64
                    ),
                ),
                ("message_id", models.UUIDField(null=True)),
                ("deliver_earliest", models.DateTimeField()),
                ("deliver_latest", models.DateTimeField()),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.deliverygroup",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
                (
                    "promise",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="told",
                        to="orders.promise",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["order", "id"], name="promise_told_order")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("promise", "audience", "by", "message_id"),
                        name="promise_told_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("audience__in", ["buyer", "channel", "agent"])),
                        name="promise_told_audience_known",
                    ),
                ],
                "verbose_name": "telling of a promise",
                "verbose_name_plural": "tellings of promises",
            },
        ),
        config.kernel.operations.AppendOnly("PromiseTold"),
        config.kernel.operations.AppendOnly("ConsentAnswer"),
    ]
