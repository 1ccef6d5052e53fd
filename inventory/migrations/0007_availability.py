"""Figures per channel, what is to be worked out anew, and which positions have changed."""

from typing import ClassVar

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

import config.kernel.operations

_CONDITIONS = [
    ("available", "Available"),
    ("receiving", "Receiving"),
    ("reserve_storage", "Reserve storage"),
    ("quality_hold", "Quality hold"),
    ("damaged", "Damaged"),
    ("count_pending", "Count pending"),
]

# A writer that names its transaction itself spares the call: the condition is cheap, PL/pgSQL not.
_MARK_CHANGED = """
CREATE FUNCTION mark_position_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER mark_changed BEFORE UPDATE ON inventory_stockposition FOR EACH ROW
    WHEN (NEW.changed_xid = OLD.changed_xid) EXECUTE FUNCTION mark_position_changed();
"""
_MARK_NO_MORE = """
DROP TRIGGER mark_changed ON inventory_stockposition;
DROP FUNCTION mark_position_changed();
"""


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("kernel", "0001_initial"), ("inventory", "0006_rules")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="stockposition",
            name="changed_xid",
            field=models.BigIntegerField(
                db_default=django.db.models.expressions.RawSQL(
                    "((pg_current_xact_id())::text)::bigint", ()
                ),
                editable=False,
            ),
        ),
        migrations.AddIndex(
            model_name="stockposition",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True,
                fields=["changed_xid"],
                name="position_changed",
                pages_per_range=2,
            ),
        ),
        migrations.RunSQL(_MARK_CHANGED, _MARK_NO_MORE),
        migrations.CreateModel(
            name="AvailabilityTurn",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("seen", models.TextField(default="")),
                ("network_version", models.BigIntegerField(default=-1)),
                ("unplaced", models.JSONField(default=dict)),
                ("counted_at", models.DateTimeField(null=True)),
                ("compared_id", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="availability_turn_one"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelAvailability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ats", models.BigIntegerField()),
                ("version", models.BigIntegerField(default=1)),
                ("as_of", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("last_order_id", models.UUIDField(null=True)),
                ("published_version", models.BigIntegerField(default=0)),
                ("seen_xid", models.BigIntegerField(default=0)),
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
                        related_name="channel_availability",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "channel availability",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("channel", "sku"), name="channel_availability_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ats__gte", 0)),
                        name="channel_availability_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DirtySku",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inventory.sku",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PickableTime",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("condition", models.CharField(choices=_CONDITIONS, max_length=16)),
                ("minutes", models.PositiveIntegerField()),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pickable_times",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "condition"), name="pickable_time_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("condition__in", ["receiving", "reserve_storage"])),
                        name="pickable_time_condition",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalPickableTime",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                ("condition", models.CharField(choices=_CONDITIONS, max_length=16)),
                ("minutes", models.PositiveIntegerField()),
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
                    "node",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical pickable time",
                "verbose_name_plural": "historical pickable times",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalpickabletime",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalpickabletime"),
    ]
