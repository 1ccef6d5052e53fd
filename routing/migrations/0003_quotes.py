"""Quotes of promises, what channels promise, and how long carriers have taken."""

from typing import ClassVar

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("kernel", "0003_invariant_checks"), ("routing", "0002_policies")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="HistoricalChannelPledge",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                (
                    "ship_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Working days in which it has left.", null=True
                    ),
                ),
                (
                    "deliver_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Working days in which it has arrived.", null=True
                    ),
                ),
                (
                    "cutoff",
                    models.TimeField(
                        blank=True,
                        help_text="Orders placed later count from the next working day.",
                        null=True,
                    ),
                ),
                ("holiday_country", models.CharField(default="US", max_length=2)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("history_change_reason", models.TextField(default="")),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.servicelevel",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical channel pledge",
                "verbose_name_plural": "historical channel pledges",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ChannelPledge",
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
                    "ship_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Working days in which it has left.", null=True
                    ),
                ),
                (
                    "deliver_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Working days in which it has arrived.", null=True
                    ),
                ),
                (
                    "cutoff",
                    models.TimeField(
                        blank=True,
                        help_text="Orders placed later count from the next working day.",
                        null=True,
                    ),
                ),
                ("holiday_country", models.CharField(default="US", max_length=2)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
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
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.servicelevel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "channel"], name="channel_pledge_place")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ship_days__isnull", False),
                            ("deliver_days__isnull", False),
                            _connector="OR",
                        ),
                        name="channel_pledge_says_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="channel_pledge_ends_later",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LearntLane",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("service", models.CharField(max_length=32)),
                (
                    "max_km",
                    models.PositiveIntegerField(help_text="The ring's reach on the rate card."),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        help_text="0 is Monday; null is any.", null=True
                    ),
                ),
                ("parcels", models.PositiveIntegerField()),
                ("seen_p50", models.PositiveSmallIntegerField()),
                ("seen_p90", models.PositiveSmallIntegerField()),
                ("contract_p50", models.PositiveSmallIntegerField()),
                ("contract_p90", models.PositiveSmallIntegerField()),
                ("p50", models.PositiveSmallIntegerField()),
                ("p90", models.PositiveSmallIntegerField()),
                ("learnt_at", models.DateTimeField()),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "service", "max_km", "weekday"),
                        name="learnt_lane_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("p90__gte", models.F("p50"))),
                        name="learnt_lane_p90_after_p50",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("weekday__isnull", True), ("weekday__lte", 6), _connector="OR"
                        ),
                        name="learnt_lane_weekday_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromiseQuote",
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
                            ("product", "Product page"),
                            ("cart", "Cart"),
                            ("checkout", "Check-out"),
                        ],
                        max_length=8,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("cart", models.CharField(default="", max_length=64)),
                ("postal_code", models.CharField(default="", max_length=16)),
                ("region", models.CharField(default="", max_length=64)),
                ("country", models.CharField(default="", max_length=2)),
                ("lines", models.JSONField()),
                ("options", models.JSONField()),
                ("unavailable", models.JSONField(default=list)),
                ("policies", models.JSONField(default=list)),
                ("versions", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
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
                    "channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-id"], name="promise_quote_recent"),
                    models.Index(fields=["expires_at"], name="promise_quote_expired"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["product", "cart", "checkout"])),
                        name="promise_quote_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("at"))),
                        name="promise_quote_lasts",
                    ),
                ],
            },
        ),
    ]
