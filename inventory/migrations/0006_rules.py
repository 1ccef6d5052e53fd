"""Buffer rules, thresholds, haircuts and quotas."""

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("kernel", "0001_initial"), ("inventory", "0005_lots")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="stockposition",
            name="haircut",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="stockposition",
            constraint=models.CheckConstraint(
                condition=models.Q(("haircut__gte", 0), ("haircut__lte", models.F("buffer"))),
                name="position_haircut",
            ),
        ),
        migrations.CreateModel(
            name="BufferRule",
            fields=[
                (
                    "sku_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.brand",
                    ),
                ),
                (
                    "sku_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stock", "Stock"),
                            ("kit", "Kit"),
                            ("service", "Service"),
                            ("digital", "Digital"),
                            ("gift_card", "Gift card"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("lifecycle", models.CharField(blank=True, default="", max_length=16)),
                ("attribute", models.CharField(blank=True, default="", max_length=64)),
                ("attribute_value", models.CharField(blank=True, default="", max_length=200)),
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
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("sequence", models.IntegerField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("draft", "Draft"), ("live", "Live"), ("ended", "Ended")],
                        default="draft",
                        editable=False,
                        max_length=12,
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
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="buffer_rules",
                        to="inventory.nodegroup",
                    ),
                ),
                (
                    "node_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("safety_units", models.BigIntegerField(blank=True, null=True)),
                (
                    "safety_percent",
                    models.SmallIntegerField(
                        blank=True,
                        help_text="Of the units that may be sold, rounded up.",
                        null=True,
                    ),
                ),
                (
                    "cover_days",
                    models.SmallIntegerField(
                        blank=True, help_text="Days of average demand that are kept.", null=True
                    ),
                ),
                (
                    "cover_over_days",
                    models.SmallIntegerField(
                        default=28, help_text="Days over which demand is averaged."
                    ),
                ),
                (
                    "threshold",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Units by which the channel's figure is lowered.",
                        null=True,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "sequence", "id"], name="buffer_rule_order")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "live", "ended"])),
                        name="buffer_rule_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at", None),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="buffer_rule_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("channel__isnull", False),
                                ("cover_days", None),
                                ("group", None),
                                ("node_ids", []),
                                ("safety_percent", None),
                                ("safety_units", None),
                                ("threshold__gte", 0),
                            ),
                            models.Q(("channel", None), ("threshold", None)),
                            _connector="OR",
                        ),
                        name="buffer_rule_one_side",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("channel__isnull", False),
                            ("safety_units__isnull", False),
                            ("safety_percent__isnull", False),
                            ("cover_days__isnull", False),
                            _connector="OR",
                        ),
                        name="buffer_rule_says_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("safety_units", None), ("safety_units__gte", 0), _connector="OR"
                            ),
                            models.Q(
                                ("safety_percent", None),
                                models.Q(("safety_percent__gte", 0), ("safety_percent__lte", 100)),
                                _connector="OR",
                            ),
                            models.Q(
                                ("cover_days", None),
                                models.Q(("cover_days__gte", 0), ("cover_days__lte", 365)),
                                _connector="OR",
                            ),
                            ("cover_over_days__gte", 1),
                            ("cover_over_days__lte", 365),
                        ),
                        name="buffer_rule_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelTerm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channel_terms",
                        to="inventory.sku",
                    ),
                ),
                ("threshold", models.BigIntegerField()),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channel_terms",
                        to="inventory.bufferrule",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "sku"), name="channel_term_once"),
                    models.CheckConstraint(
                        condition=models.Q(("threshold__gte", 0)), name="channel_term_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NodeHaircut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="haircuts",
                        to="inventory.node",
                    ),
                ),
                ("source", models.CharField(max_length=32)),
                ("percent", models.SmallIntegerField()),
                ("reason", models.CharField(blank=True, default="", max_length=200)),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("node", "source"), name="node_haircut_once"),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 1), ("percent__lte", 100)),
                        name="node_haircut_share",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PositionSafety",
            fields=[
                (
                    "position",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="safety",
                        serialize=False,
                        to="inventory.stockposition",
                    ),
                ),
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
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="positions",
                        to="inventory.bufferrule",
                    ),
                ),
                ("units", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "position safety",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("units__gte", 0)), name="position_safety_not_negative"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QuotaPlan",
            fields=[
                (
                    "sku_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.brand",
                    ),
                ),
                (
                    "sku_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stock", "Stock"),
                            ("kit", "Kit"),
                            ("service", "Service"),
                            ("digital", "Digital"),
                            ("gift_card", "Gift card"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("lifecycle", models.CharField(blank=True, default="", max_length=16)),
                ("attribute", models.CharField(blank=True, default="", max_length=64)),
                ("attribute_value", models.CharField(blank=True, default="", max_length=200)),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("sequence", models.IntegerField(default=0)),
                ("overlay", models.BooleanField(default=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("fixed", "Fixed units"),
                            ("percent", "Share of what may be sold"),
                            ("priority", "The last units"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("planned", "Planned"), ("live", "Live"), ("ended", "Ended")],
                        default="planned",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "units",
                    models.BigIntegerField(
                        blank=True, help_text="Units of each SKU: fixed and priority.", null=True
                    ),
                ),
                (
                    "percent",
                    models.SmallIntegerField(
                        blank=True, help_text="Of what may be sold of each SKU: percent.", null=True
                    ),
                ),
                (
                    "cap",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Most units of each SKU; empty is as many as are free.",
                        null=True,
                    ),
                ),
                (
                    "spill",
                    models.BooleanField(
                        default=False, help_text="Others may have what is not used."
                    ),
                ),
                (
                    "spill_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From when others may have it; empty is at any time.",
                        null=True,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "ended"), _negated=True),
                        fields=["state", "starts_at"],
                        name="quota_plan_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["planned", "live", "ended"])),
                        name="quota_plan_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at", None),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="quota_plan_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ["fixed", "priority"]),
                                ("percent", None),
                                ("units__gte", 0),
                            ),
                            models.Q(
                                ("kind", "percent"),
                                ("percent__gte", 0),
                                ("percent__lte", 100),
                                ("units", None),
                            ),
                            _connector="OR",
                        ),
                        name="quota_plan_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cap", None), ("cap__gte", 0), _connector="OR"),
                        name="quota_plan_cap_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("spill", True), ("spill_at", None), _connector="OR"),
                        name="quota_plan_spill",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Quota",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quotas",
                        to="inventory.quotaplan",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quotas",
                        to="inventory.sku",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("fixed", "Fixed units"),
                            ("percent", "Share of what may be sold"),
                            ("priority", "The last units"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("planned", "Planned"), ("live", "Live"), ("ended", "Ended")],
                        max_length=12,
                    ),
                ),
                ("overlay", models.BooleanField()),
                ("sequence", models.IntegerField()),
                ("protected", models.BigIntegerField()),
                ("percent", models.SmallIntegerField(null=True)),
                ("used", models.BigIntegerField(default=0)),
                ("cap", models.BigIntegerField(null=True)),
                ("spill", models.BooleanField()),
                ("spill_at", models.DateTimeField(null=True)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "live")), fields=["sku"], name="quota_live"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "sku"), name="quota_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["fixed", "percent", "priority"]),
                            ("state__in", ["planned", "live", "ended"]),
                        ),
                        name="quota_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("protected__gte", 0), ("used__gte", 0)),
                        name="quota_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QuotaUse",
            fields=[
                ("reservation_id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "quota",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uses",
                        to="inventory.quota",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RuleRun",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="kernel.account",
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                ("last_position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalBufferRule",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                (
                    "sku_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "sku_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stock", "Stock"),
                            ("kit", "Kit"),
                            ("service", "Service"),
                            ("digital", "Digital"),
                            ("gift_card", "Gift card"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("lifecycle", models.CharField(blank=True, default="", max_length=16)),
                ("attribute", models.CharField(blank=True, default="", max_length=64)),
                ("attribute_value", models.CharField(blank=True, default="", max_length=200)),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("sequence", models.IntegerField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("draft", "Draft"), ("live", "Live"), ("ended", "Ended")],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "node_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("safety_units", models.BigIntegerField(blank=True, null=True)),
                (
                    "safety_percent",
                    models.SmallIntegerField(
                        blank=True,
                        help_text="Of the units that may be sold, rounded up.",
                        null=True,
                    ),
                ),
                (
                    "cover_days",
                    models.SmallIntegerField(
                        blank=True, help_text="Days of average demand that are kept.", null=True
                    ),
                ),
                (
                    "cover_over_days",
                    models.SmallIntegerField(
                        default=28, help_text="Days over which demand is averaged."
                    ),
                ),
                (
                    "threshold",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Units by which the channel's figure is lowered.",
                        null=True,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("history_change_reason", models.TextField(default="")),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.brand",
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
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.nodegroup",
                    ),
                ),
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
            ],
            options={
                "verbose_name": "historical buffer rule",
                "verbose_name_plural": "historical buffer rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalbufferrule",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalbufferrule"),
        migrations.CreateModel(
            name="HistoricalQuotaPlan",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                (
                    "sku_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "sku_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stock", "Stock"),
                            ("kit", "Kit"),
                            ("service", "Service"),
                            ("digital", "Digital"),
                            ("gift_card", "Gift card"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("lifecycle", models.CharField(blank=True, default="", max_length=16)),
                ("attribute", models.CharField(blank=True, default="", max_length=64)),
                ("attribute_value", models.CharField(blank=True, default="", max_length=200)),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("sequence", models.IntegerField(default=0)),
                ("overlay", models.BooleanField(default=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("fixed", "Fixed units"),
                            ("percent", "Share of what may be sold"),
                            ("priority", "The last units"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("planned", "Planned"), ("live", "Live"), ("ended", "Ended")],
                        default="planned",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "units",
                    models.BigIntegerField(
                        blank=True, help_text="Units of each SKU: fixed and priority.", null=True
                    ),
                ),
                (
                    "percent",
                    models.SmallIntegerField(
                        blank=True, help_text="Of what may be sold of each SKU: percent.", null=True
                    ),
                ),
                (
                    "cap",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Most units of each SKU; empty is as many as are free.",
                        null=True,
                    ),
                ),
                (
                    "spill",
                    models.BooleanField(
                        default=False, help_text="Others may have what is not used."
                    ),
                ),
                (
                    "spill_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From when others may have it; empty is at any time.",
                        null=True,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("history_change_reason", models.TextField(default="")),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.brand",
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
            ],
            options={
                "verbose_name": "historical quota plan",
                "verbose_name_plural": "historical quota plans",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalquotaplan", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalquotaplan"),
    ]
