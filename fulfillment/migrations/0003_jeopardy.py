"""How long stages take, when promises get into danger, and what was done about it."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [
        ("fulfillment", "0002_traced"),
        ("inventory", "0009_claims"),
        ("kernel", "0003_invariant_checks"),
        ("orders", "0005_promise_ledger"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="fulfillmentorder",
            name="picked_at",
            field=models.DateTimeField(
                help_text="When nothing was left to pick; empty while something is.", null=True
            ),
        ),
        migrations.AddField(
            model_name="historicalfulfillmentorder",
            name="picked_at",
            field=models.DateTimeField(
                help_text="When nothing was left to pick; empty while something is.", null=True
            ),
        ),
        migrations.CreateModel(
            name="PromiseSlack",
            fields=[
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="orders.deliverygroup",
                    ),
                ),
                ("carrier_code", models.CharField(default="", max_length=32)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("accept", "Accept"),
                            ("release", "Release"),
                            ("acknowledge", "Acknowledge"),
                            ("pick", "Pick"),
                            ("pack", "Pack"),
                            ("hand_over", "Hand over"),
                            ("deliver", "Deliver"),
                        ],
                        max_length=12,
                    ),
                ),
                ("since", models.DateTimeField(help_text="When the stage began.")),
                ("target_at", models.DateTimeField(help_text="By when this stage is to end.")),
                (
                    "promised_at",
                    models.DateTimeField(
                        help_text="Ship-by; the last day of delivery, once a carrier has it."
                    ),
                ),
                ("low_at", models.DateTimeField()),
                ("medium_at", models.DateTimeField()),
                ("high_at", models.DateTimeField()),
                ("certain_at", models.DateTimeField()),
                (
                    "reported",
                    models.CharField(
                        default="",
                        help_text="The highest level that was reported of this danger.",
                        max_length=8,
                    ),
                ),
                ("written_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "fulfillment_order",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fulfillment.fulfillmentorder",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
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
            ],
            options={
                "verbose_name": "slack of a promise",
                "verbose_name_plural": "slack of promises",
                "indexes": [
                    models.Index(fields=["account", "high_at", "group"], name="slack_by_account"),
                    models.Index(fields=["low_at"], name="slack_by_danger"),
                    models.Index(fields=["order"], name="slack_of_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "stage__in",
                                [
                                    "accept",
                                    "release",
                                    "acknowledge",
                                    "pick",
                                    "pack",
                                    "hand_over",
                                    "deliver",
                                ],
                            )
                        ),
                        name="slack_stage_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("low_at__lte", models.F("medium_at")),
                            ("medium_at__lte", models.F("high_at")),
                            ("high_at__lte", models.F("certain_at")),
                        ),
                        name="slack_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Remedy",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("reroute", "Send from another node"),
                            ("upgrade", "Faster service"),
                            ("split", "Send what is ready"),
                            ("ask", "Tell the buyer and ask"),
                            ("cancel", "Cancel"),
                        ],
                        max_length=12,
                    ),
                ),
                ("cost_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("automatic", models.BooleanField(default=False)),
                ("level", models.CharField(default="", max_length=8)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(default="", max_length=120)),
                (
                    "account",
                    models.ForeignKey(
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
            ],
            options={
                "verbose_name_plural": "remedies",
                "indexes": [
                    models.Index(fields=["account", "at"], name="remedy_of_day"),
                    models.Index(fields=["order", "id"], name="remedy_of_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["reroute", "upgrade", "split", "ask", "cancel"])
                        ),
                        name="remedy_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StageTime",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("carrier_code", models.CharField(default="", max_length=32)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("accept", "Accept"),
                            ("release", "Release"),
                            ("acknowledge", "Acknowledge"),
                            ("pick", "Pick"),
                            ("pack", "Pack"),
                            ("hand_over", "Hand over"),
                            ("deliver", "Deliver"),
                        ],
                        max_length=12,
                    ),
                ),
                ("fast", models.PositiveIntegerField()),
                ("usual", models.PositiveIntegerField()),
                ("slow", models.PositiveIntegerField()),
                ("samples", models.PositiveIntegerField()),
                ("learnt_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "node", "carrier_code", "stage"),
                        name="stage_time_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "stage__in",
                                [
                                    "accept",
                                    "release",
                                    "acknowledge",
                                    "pick",
                                    "pack",
                                    "hand_over",
                                    "deliver",
                                ],
                            )
                        ),
                        name="stage_time_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fast__lte", models.F("usual")), ("usual__lte", models.F("slow"))
                        ),
                        name="stage_time_in_order",
                    ),
                ],
            },
        ),
    ]
