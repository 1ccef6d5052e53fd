"""Groups of nodes, what nodes can do and when, their capacity and signals."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

import config.kernel.fsm
import config.kernel.models.events
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("kernel", "0001_initial"), ("inventory", "0002_items")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="NodeGroup",
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
                ("code", models.SlugField(max_length=32)),
                ("name", models.CharField(max_length=120)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "code"), name="node_group_code_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="NodeGroupMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="inventory.nodegroup",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "node"), name="node_group_member_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="nodegroup",
            name="nodes",
            field=models.ManyToManyField(
                related_name="groups", through="inventory.NodeGroupMember", to="inventory.node"
            ),
        ),
        migrations.CreateModel(
            name="HistoricalNodeGroup",
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
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("name", models.CharField(max_length=120)),
                ("history_change_reason", models.TextField(default="")),
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
                "verbose_name": "historical node group",
                "verbose_name_plural": "historical node groups",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalnodegroup", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalnodegroup"),
        migrations.CreateModel(
            name="HistoricalNodeGroupMember",
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
                ("history_change_reason", models.TextField(default="")),
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
                "verbose_name": "historical node group member",
                "verbose_name_plural": "historical node group members",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalnodegroupmember",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalnodegroupmember"),
        migrations.CreateModel(
            name="NodeCapability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("hazmat", "Dangerous goods"),
                            ("lot_tracking", "Lots"),
                            ("serial_tracking", "Serial numbers"),
                            ("break_case", "Opens cases"),
                            ("break_pallet", "Opens pallets"),
                            ("gift_wrap", "Gift wrap"),
                            ("engraving", "Engraving"),
                            ("cold_chain", "Cold chain"),
                            ("oversize", "Oversize goods"),
                            ("same_day", "Same-day dispatch"),
                            ("age_check", "Checks ages"),
                        ],
                        max_length=16,
                    ),
                ),
                ("detail", models.JSONField(blank=True, default=dict)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="capabilities",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "node capabilities",
                "constraints": [
                    models.UniqueConstraint(fields=("node", "code"), name="node_capability_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "code__in",
                                [
                                    "hazmat",
                                    "lot_tracking",
                                    "serial_tracking",
                                    "break_case",
                                    "break_pallet",
                                    "gift_wrap",
                                    "engraving",
                                    "cold_chain",
                                    "oversize",
                                    "same_day",
                                    "age_check",
                                ],
                            )
                        ),
                        name="node_capability_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NodePickup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "weekday",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ]
                    ),
                ),
                ("at_local", models.TimeField()),
                ("most_parcels", models.PositiveIntegerField(blank=True, null=True)),
                ("dock", models.CharField(blank=True, default="", max_length=32)),
                (
                    "carrier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pickups",
                        to="inventory.carrier",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pickups",
                        to="inventory.node",
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pickups",
                        to="inventory.servicelevel",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "carrier", "service_level", "weekday", "at_local"),
                        name="node_pickup_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekday__gte", 0), ("weekday__lte", 6)),
                        name="node_pickup_weekday",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NodeSpecialDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("on", models.DateField()),
                ("opens", models.TimeField()),
                ("closes", models.TimeField()),
                ("name", models.CharField(max_length=120)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="special_days",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("node", "on"), name="node_special_day_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="NodePlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "function",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("ship", "Ship"),
                            ("pickup", "Pickup"),
                            ("receiving", "Receiving"),
                            ("returns", "Returns"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("closed", "Closed"),
                            ("reduced", "Does less"),
                            ("extra", "Does more"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("planned", "Planned"),
                            ("live", "Live"),
                            ("ended", "Ended"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planned",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("percent", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("units", models.PositiveIntegerField(blank=True, null=True)),
                ("reason", models.CharField(max_length=200)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="plans",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("planned", "live"))),
                        fields=["starts_at"],
                        name="node_plan_to_turn",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["closed", "reduced", "extra"])),
                        name="node_plan_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["planned", "live", "ended", "cancelled"])
                        ),
                        name="node_plan_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("function", ""),
                            ("function__in", ["ship", "pickup", "receiving", "returns"]),
                            _connector="OR",
                        ),
                        name="node_plan_function",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="node_plan_ends",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "closed"), ("percent", None), ("units", None)),
                            models.Q(
                                models.Q(("kind", "closed"), _negated=True),
                                ("percent", None),
                                ("units__isnull", False),
                            ),
                            models.Q(
                                models.Q(("kind", "closed"), _negated=True),
                                ("percent__isnull", False),
                                ("units", None),
                            ),
                            _connector="OR",
                        ),
                        name="node_plan_amount",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlannedPause",
            fields=[
                (
                    "function",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="planned_pause",
                        serialize=False,
                        to="inventory.nodefunction",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pauses",
                        to="inventory.nodeplan",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NodeSignal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("open_work", "Open work"),
                            ("ack_latency", "Time to take work on"),
                            ("pick_fail_rate", "Units not found"),
                            ("feed_age", "Age of its stock feed"),
                            ("backlog", "Left over from earlier windows"),
                            ("docks", "Fullest window at the docks"),
                        ],
                        max_length=16,
                    ),
                ),
                ("value", models.FloatField(blank=True, null=True)),
                ("most", models.FloatField(blank=True, null=True)),
                ("as_of", models.DateTimeField(blank=True, null=True)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signals",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("node", "code"), name="node_signal_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "code__in",
                                [
                                    "open_work",
                                    "ack_latency",
                                    "pick_fail_rate",
                                    "feed_age",
                                    "backlog",
                                    "docks",
                                ],
                            )
                        ),
                        name="node_signal_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("value", None), ("as_of__isnull", False), _connector="OR"
                        ),
                        name="node_signal_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NodeCapacity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "function",
                    models.CharField(
                        choices=[
                            ("ship", "Ship"),
                            ("pickup", "Pickup"),
                            ("receiving", "Receiving"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "resource",
                    models.CharField(
                        choices=[
                            ("orders", "Orders"),
                            ("lines", "Lines"),
                            ("units", "Units"),
                            ("parcels", "Parcels"),
                            ("appointments", "Appointments at the docks"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "weekday",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ]
                    ),
                ),
                ("opens", models.TimeField()),
                ("closes", models.TimeField()),
                ("most", models.PositiveIntegerField()),
                ("hard", models.BooleanField(default=False)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="capacities",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "node capacities",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "function", "resource", "weekday", "opens"),
                        name="node_capacity_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("function__in", ("ship", "pickup", "receiving"))),
                        name="node_capacity_function",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "resource__in",
                                ["orders", "lines", "units", "parcels", "appointments"],
                            )
                        ),
                        name="node_capacity_resource",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekday__gte", 0), ("weekday__lte", 6)),
                        name="node_capacity_weekday",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closes__gt", models.F("opens")), ("closes", "00:00"), _connector="OR"
                        ),
                        name="node_capacity_closes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CapacityWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "function",
                    models.CharField(
                        choices=[
                            ("ship", "Ship"),
                            ("pickup", "Pickup"),
                            ("receiving", "Receiving"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "resource",
                    models.CharField(
                        choices=[
                            ("orders", "Orders"),
                            ("lines", "Lines"),
                            ("units", "Units"),
                            ("parcels", "Parcels"),
                            ("appointments", "Appointments at the docks"),
                        ],
                        max_length=16,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("most", models.PositiveIntegerField()),
                ("hard", models.BooleanField(default=False)),
                ("used", models.BigIntegerField(default=0)),
                ("done", models.BigIntegerField(default=0)),
                ("backlog", models.PositiveBigIntegerField(default=0)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="windows",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "function", "resource", "starts_at"),
                        name="capacity_window_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="capacity_window_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CapacityEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("function", models.CharField(max_length=16)),
                ("resource", models.CharField(max_length=16)),
                ("starts_at", models.DateTimeField()),
                ("used", models.BigIntegerField()),
                ("done", models.BigIntegerField()),
                ("counted", models.BooleanField()),
                ("cause_kind", models.CharField(max_length=32)),
                ("cause_id", models.UUIDField()),
                ("after", models.BigIntegerField(null=True)),
                ("place", models.SmallIntegerField(default=0)),
                ("at", models.DateTimeField()),
                (
                    "xid",
                    config.kernel.models.events.TransactionId(
                        db_default=django.db.models.expressions.RawSQL("pg_current_xact_id()", ())
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["xid"], name="capacity_entry_horizon")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cause_id", "node", "function", "resource", "after", "place"),
                        name="capacity_entry_once",
                    )
                ],
            },
        ),
        config.kernel.operations.AppendOnly(
            model_name="capacityentry",
        ),
        migrations.CreateModel(
            name="CapacityFold",
            fields=[
                ("name", models.CharField(max_length=16, primary_key=True, serialize=False)),
                (
                    "xid",
                    config.kernel.models.events.TransactionId(
                        db_default=django.db.models.expressions.RawSQL("'0'::xid8", ())
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalNodeCapability",
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
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("hazmat", "Dangerous goods"),
                            ("lot_tracking", "Lots"),
                            ("serial_tracking", "Serial numbers"),
                            ("break_case", "Opens cases"),
                            ("break_pallet", "Opens pallets"),
                            ("gift_wrap", "Gift wrap"),
                            ("engraving", "Engraving"),
                            ("cold_chain", "Cold chain"),
                            ("oversize", "Oversize goods"),
                            ("same_day", "Same-day dispatch"),
                            ("age_check", "Checks ages"),
                        ],
                        max_length=16,
                    ),
                ),
                ("detail", models.JSONField(blank=True, default=dict)),
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
                "verbose_name": "historical node capability",
                "verbose_name_plural": "historical node capabilities",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalnodecapability",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalnodecapability",
        ),
        migrations.CreateModel(
            name="HistoricalNodePickup",
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
                (
                    "weekday",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ]
                    ),
                ),
                ("at_local", models.TimeField()),
                ("most_parcels", models.PositiveIntegerField(blank=True, null=True)),
                ("dock", models.CharField(blank=True, default="", max_length=32)),
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
                "verbose_name": "historical node pickup",
                "verbose_name_plural": "historical node pickups",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalnodepickup",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalnodepickup",
        ),
        migrations.CreateModel(
            name="HistoricalNodeSpecialDay",
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
                ("on", models.DateField()),
                ("opens", models.TimeField()),
                ("closes", models.TimeField()),
                ("name", models.CharField(max_length=120)),
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
                "verbose_name": "historical node special day",
                "verbose_name_plural": "historical node special days",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalnodespecialday",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalnodespecialday",
        ),
        migrations.CreateModel(
            name="HistoricalNodePlan",
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
                (
                    "function",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("ship", "Ship"),
                            ("pickup", "Pickup"),
                            ("receiving", "Receiving"),
                            ("returns", "Returns"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("closed", "Closed"),
                            ("reduced", "Does less"),
                            ("extra", "Does more"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("planned", "Planned"),
                            ("live", "Live"),
                            ("ended", "Ended"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planned",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("percent", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("units", models.PositiveIntegerField(blank=True, null=True)),
                ("reason", models.CharField(max_length=200)),
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
                "verbose_name": "historical node plan",
                "verbose_name_plural": "historical node plans",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalnodeplan",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalnodeplan",
        ),
        migrations.CreateModel(
            name="HistoricalNodeCapacity",
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
                (
                    "function",
                    models.CharField(
                        choices=[
                            ("ship", "Ship"),
                            ("pickup", "Pickup"),
                            ("receiving", "Receiving"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "resource",
                    models.CharField(
                        choices=[
                            ("orders", "Orders"),
                            ("lines", "Lines"),
                            ("units", "Units"),
                            ("parcels", "Parcels"),
                            ("appointments", "Appointments at the docks"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "weekday",
                    models.SmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ]
                    ),
                ),
                ("opens", models.TimeField()),
                ("closes", models.TimeField()),
                ("most", models.PositiveIntegerField()),
                ("hard", models.BooleanField(default=False)),
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
                "verbose_name": "historical node capacity",
                "verbose_name_plural": "historical node capacities",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalnodecapacity",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalnodecapacity",
        ),
    ]
