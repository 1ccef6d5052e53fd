"""The tables of routing: decisions and histories only grow."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    initial = True

    dependencies = [
        ("inventory", "0001_initial"),
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalRateCard",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                ("id", models.BigIntegerField(blank=True, db_index=True)),
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("name", models.CharField(blank=True, default="", max_length=80)),
                ("currency", models.CharField(default="USD", max_length=3)),
                (
                    "holiday_country",
                    models.CharField(
                        default="US",
                        help_text="On whose public holidays the carrier rests.",
                        max_length=2,
                    ),
                ),
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
                    "carrier",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.carrier",
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
                "verbose_name": "historical rate card",
                "verbose_name_plural": "historical rate cards",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSourcingPolicy",
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
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("version", models.PositiveIntegerField(default=1)),
                ("name", models.CharField(max_length=80)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("draft", "Draft"),
                            ("in_review", "In review"),
                            ("scheduled", "Scheduled"),
                            ("live", "Live"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("weights", models.JSONField(default=dict)),
                ("max_nodes", models.PositiveSmallIntegerField(default=4)),
                ("max_km", models.PositiveIntegerField(blank=True, null=True)),
                ("allow_partial", models.BooleanField(default=True)),
                ("split_lines", models.BooleanField(default=True)),
                (
                    "on_time",
                    models.BooleanField(
                        default=False,
                        help_text="Refuse nodes that would deliver after the requested date.",
                    ),
                ),
                (
                    "soft",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(editable=False, null=True)),
                ("published_by", models.CharField(default="", editable=False, max_length=120)),
                ("retired_at", models.DateTimeField(editable=False, null=True)),
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
            ],
            options={
                "verbose_name": "historical sourcing policy",
                "verbose_name_plural": "historical sourcing policies",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RateCard",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("code", models.SlugField(max_length=32, unique=True)),
                ("name", models.CharField(blank=True, default="", max_length=80)),
                ("currency", models.CharField(default="USD", max_length=3)),
                (
                    "holiday_country",
                    models.CharField(
                        default="US",
                        help_text="On whose public holidays the carrier rests.",
                        max_length=2,
                    ),
                ),
                (
                    "carrier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.carrier",
                    ),
                ),
                (
                    "service_level",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.servicelevel",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalRateZone",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                ("id", models.BigIntegerField(blank=True, db_index=True)),
                ("max_km", models.PositiveIntegerField()),
                ("base_minor", models.BigIntegerField()),
                ("per_kg_minor", models.BigIntegerField()),
                (
                    "days_p50",
                    models.PositiveSmallIntegerField(help_text="Carrier working days, usual."),
                ),
                (
                    "days_p90",
                    models.PositiveSmallIntegerField(
                        help_text="Carrier working days, nine in ten."
                    ),
                ),
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
                    "card",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="routing.ratecard",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical rate zone",
                "verbose_name_plural": "historical rate zones",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SourcingPolicy",
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
                ("code", models.SlugField(max_length=32)),
                ("version", models.PositiveIntegerField(default=1)),
                ("name", models.CharField(max_length=80)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("draft", "Draft"),
                            ("in_review", "In review"),
                            ("scheduled", "Scheduled"),
                            ("live", "Live"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("weights", models.JSONField(default=dict)),
                ("max_nodes", models.PositiveSmallIntegerField(default=4)),
                ("max_km", models.PositiveIntegerField(blank=True, null=True)),
                ("allow_partial", models.BooleanField(default=True)),
                ("split_lines", models.BooleanField(default=True)),
                (
                    "on_time",
                    models.BooleanField(
                        default=False,
                        help_text="Refuse nodes that would deliver after the requested date.",
                    ),
                ),
                (
                    "soft",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(editable=False, null=True)),
                ("published_by", models.CharField(default="", editable=False, max_length=120)),
                ("retired_at", models.DateTimeField(editable=False, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "channel", "code", "version"),
                        name="policy_version_once",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "live")),
                        fields=("account", "channel"),
                        name="policy_live_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "in_review", "scheduled", "live", "retired"])
                        ),
                        name="policy_state_known",
                    ),
                ],
                "verbose_name_plural": "sourcing policies",
            },
        ),
        migrations.CreateModel(
            name="RoutingDecision",
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
                ("account_id", models.UUIDField()),
                ("order_id", models.UUIDField()),
                ("group_id", models.UUIDField()),
                ("plan_version", models.BigIntegerField()),
                (
                    "level",
                    models.CharField(
                        help_text="exact, gap, priced, stale, joint or rule: what decided.",
                        max_length=8,
                    ),
                ),
                ("record", models.JSONField(default=dict)),
                ("input", models.BinaryField()),
                ("winner", models.TextField(default="", help_text="Codes of the chosen nodes.")),
                ("cost_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("split_cause", models.CharField(default="", max_length=32)),
                (
                    "pinned",
                    models.BooleanField(default=False, help_text="A person had chosen the node."),
                ),
                ("at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="routing.sourcingpolicy",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order_id", "-id"], name="decision_order"),
                    models.Index(fields=["group_id", "-id"], name="decision_group"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RateZone",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("max_km", models.PositiveIntegerField()),
                ("base_minor", models.BigIntegerField()),
                ("per_kg_minor", models.BigIntegerField()),
                (
                    "days_p50",
                    models.PositiveSmallIntegerField(help_text="Carrier working days, usual."),
                ),
                (
                    "days_p90",
                    models.PositiveSmallIntegerField(
                        help_text="Carrier working days, nine in ten."
                    ),
                ),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="zones",
                        to="routing.ratecard",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("card", "max_km"), name="rate_zone_once"),
                    models.CheckConstraint(
                        condition=models.Q(("base_minor__gte", 0), ("per_kg_minor__gte", 0)),
                        name="rate_zone_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("days_p90__gte", models.F("days_p50"))),
                        name="rate_zone_p90_after_p50",
                    ),
                ],
            },
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalratecard", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalratecard"),
        config.kernel.operations.PartitionByMonth(
            "historicalsourcingpolicy",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalsourcingpolicy"),
        config.kernel.operations.PartitionByMonth(
            "historicalratezone", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalratezone"),
        config.kernel.operations.AppendOnly("routingdecision"),
        migrations.RunSQL(
            # Up to half a page, a decision is not compressed: that took as long as its insert.
            "ALTER TABLE routing_routingdecision SET (toast_tuple_target = 4096)",
            migrations.RunSQL.noop,
        ),
    ]
