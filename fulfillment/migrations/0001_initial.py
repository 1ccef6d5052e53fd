"""The tables of fulfillment: partitions and refusals stand from the start."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    initial = True

    dependencies = [
        ("inventory", "0001_initial"),
        ("kernel", "0001_initial"),
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE fulfillment_order_number START 100001",
            "DROP SEQUENCE fulfillment_order_number",
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE fulfillment_parcel_number START 100001",
            "DROP SEQUENCE fulfillment_parcel_number",
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE fulfillment_manifest_number START 100001",
            "DROP SEQUENCE fulfillment_manifest_number",
        ),
        migrations.CreateModel(
            name="FulfillmentOrder",
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
                    models.CharField(
                        db_default=django.db.models.expressions.RawSQL(
                            "'FO-' || nextval('fulfillment_order_number')", ()
                        ),
                        max_length=24,
                        unique=True,
                    ),
                ),
                (
                    "method",
                    models.CharField(help_text="The delivery group's method.", max_length=16),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("released", "Released"),
                            ("acknowledged", "Acknowledged"),
                            ("picking", "Picking"),
                            ("packed", "Packed"),
                            ("shipped", "Shipped"),
                            ("completed", "Completed"),
                            ("ready_for_pickup", "Ready for pickup"),
                            ("collected", "Collected"),
                            ("expired", "Not collected in time"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="released",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                (
                    "external_id",
                    models.CharField(default="", help_text="The node's own number.", max_length=64),
                ),
                ("released_at", models.DateTimeField()),
                ("acknowledge_by", models.DateTimeField()),
                ("ship_by", models.DateTimeField(null=True)),
                ("collect_by", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("packed_at", models.DateTimeField(null=True)),
                ("shipped_at", models.DateTimeField(null=True)),
                ("ready_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "collected_by",
                    models.CharField(
                        default="",
                        help_text="Who came: buyer or proxy. Never a name.",
                        max_length=16,
                    ),
                ),
                (
                    "alarms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32),
                        default=list,
                        help_text="Case kinds raised already.",
                        size=None,
                    ),
                ),
                ("event_seq", models.BigIntegerField(default=0)),
                (
                    "expected_at",
                    models.DateTimeField(
                        help_text="When the node says that it ships, if it says so.", null=True
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Where it goes, when that is not where its group goes.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.contact",
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
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.deliverygroup",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.servicelevel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                (
                                    "released",
                                    "acknowledged",
                                    "picking",
                                    "packed",
                                    "ready_for_pickup",
                                ),
                            )
                        ),
                        fields=["node", "ship_by", "id"],
                        name="fulfillment_node_queue",
                    ),
                    models.Index(
                        condition=models.Q(("state", "released")),
                        fields=["acknowledge_by"],
                        name="fulfillment_to_acknowledge",
                    ),
                    models.Index(
                        condition=models.Q(("state", "ready_for_pickup")),
                        fields=["collect_by"],
                        name="fulfillment_to_collect",
                    ),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                (
                                    "released",
                                    "acknowledged",
                                    "picking",
                                    "packed",
                                    "ready_for_pickup",
                                ),
                            )
                        ),
                        fields=["ship_by"],
                        name="fulfillment_to_ship",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["released_at"], name="fulfillment_released"
                    ),
                    models.Index(
                        condition=models.Q(("state", "shipped")),
                        fields=["shipped_at"],
                        name="fulfillment_to_complete",
                    ),
                    models.Index(
                        condition=models.Q(("state", "expired")),
                        fields=["ended_at"],
                        name="fulfillment_to_put_back",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "released",
                                    "acknowledged",
                                    "picking",
                                    "packed",
                                    "shipped",
                                    "completed",
                                    "ready_for_pickup",
                                    "collected",
                                    "expired",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="fulfillment_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FulfillmentLine",
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
                ("position", models.PositiveIntegerField()),
                ("reservation_id", models.UUIDField(unique=True)),
                ("requested", models.PositiveIntegerField()),
                ("waiting", models.PositiveIntegerField(default=0)),
                ("accepted", models.PositiveIntegerField(default=0)),
                ("picked", models.PositiveIntegerField(default=0)),
                ("packed", models.PositiveIntegerField(default=0)),
                ("shipped", models.PositiveIntegerField(default=0)),
                ("collected", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
                ("short", models.PositiveIntegerField(default=0)),
                ("cancelled", models.PositiveIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "order_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.orderline",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.sku",
                    ),
                ),
                (
                    "fulfillment_order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="fulfillment.fulfillmentorder",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "requested",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        django.db.models.expressions.CombinedExpression(
                                                            django.db.models.expressions.CombinedExpression(
                                                                models.F("waiting"),
                                                                "+",
                                                                models.F("accepted"),
                                                            ),
                                                            "+",
                                                            models.F("picked"),
                                                        ),
                                                        "+",
                                                        models.F("packed"),
                                                    ),
                                                    "+",
                                                    models.F("shipped"),
                                                ),
                                                "+",
                                                models.F("collected"),
                                            ),
                                            "+",
                                            models.F("rejected"),
                                        ),
                                        "+",
                                        models.F("short"),
                                    ),
                                    "+",
                                    models.F("cancelled"),
                                ),
                            )
                        ),
                        name="fulfillment_line_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("requested__gt", 0)),
                        name="fulfillment_line_asks_something",
                    ),
                    models.UniqueConstraint(
                        fields=("fulfillment_order", "position"), name="fulfillment_line_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalFulfillmentOrder",
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
                ("number", models.CharField(max_length=24)),
                (
                    "method",
                    models.CharField(help_text="The delivery group's method.", max_length=16),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("released", "Released"),
                            ("acknowledged", "Acknowledged"),
                            ("picking", "Picking"),
                            ("packed", "Packed"),
                            ("shipped", "Shipped"),
                            ("completed", "Completed"),
                            ("ready_for_pickup", "Ready for pickup"),
                            ("collected", "Collected"),
                            ("expired", "Not collected in time"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="released",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                (
                    "external_id",
                    models.CharField(default="", help_text="The node's own number.", max_length=64),
                ),
                ("released_at", models.DateTimeField()),
                ("acknowledge_by", models.DateTimeField()),
                ("ship_by", models.DateTimeField(null=True)),
                ("collect_by", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("packed_at", models.DateTimeField(null=True)),
                ("shipped_at", models.DateTimeField(null=True)),
                ("ready_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "collected_by",
                    models.CharField(
                        default="",
                        help_text="Who came: buyer or proxy. Never a name.",
                        max_length=16,
                    ),
                ),
                ("event_seq", models.BigIntegerField(default=0)),
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
                    "expected_at",
                    models.DateTimeField(
                        help_text="When the node says that it ships, if it says so.", null=True
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="Where it goes, when that is not where its group goes.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.contact",
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
                    "group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.deliverygroup",
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
                    "order",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.order",
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
                "verbose_name": "historical fulfillment order",
                "verbose_name_plural": "historical fulfillment orders",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalfulfillmentorder",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalfulfillmentorder"),
        migrations.CreateModel(
            name="HistoricalNodeRequest",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("cancel", "Cancel units"),
                            ("change", "Change address or service"),
                            ("pull_back", "Give units back"),
                        ],
                        default="cancel",
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("sent", "Asked"),
                            ("accepted", "Accepted"),
                            ("partly", "Accepted in part"),
                            ("refused", "Refused"),
                            ("timed_out", "No answer in time"),
                        ],
                        default="sent",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("asked", models.PositiveIntegerField(help_text="Units.")),
                ("granted", models.PositiveIntegerField(default=0)),
                ("note", models.CharField(default="", max_length=200)),
                ("sent_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
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
                ("event_seq", models.BigIntegerField(default=0)),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The address that a change wants.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.contact",
                    ),
                ),
                (
                    "fulfillment_order",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="fulfillment.fulfillmentorder",
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The service that a change wants.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.servicelevel",
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
                    "line",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="fulfillment.fulfillmentline",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical node request",
                "verbose_name_plural": "historical node requests",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalnoderequest",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalnoderequest"),
        migrations.CreateModel(
            name="HistoricalParcel",
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
                ("number", models.CharField(max_length=24)),
                (
                    "external_id",
                    models.CharField(default="", help_text="The node's own number.", max_length=64),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("packed", "Packed"),
                            ("labelled", "Labelled"),
                            ("manifested", "On a manifest"),
                            ("handed_over", "Handed to the carrier"),
                            ("in_transit", "In transit"),
                            ("out_for_delivery", "Out for delivery"),
                            ("attempted", "Delivery attempted"),
                            ("at_pickup_point", "At a pickup point"),
                            ("delivered", "Delivered"),
                            ("returning", "On its way back"),
                            ("returned", "Came back"),
                            ("damaged", "Damaged"),
                            ("lost", "Lost"),
                            ("voided", "Voided"),
                        ],
                        default="packed",
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("weight_grams", models.PositiveIntegerField()),
                ("carrier_code", models.CharField(default="", max_length=32)),
                ("tracking_number", models.CharField(default="", max_length=64)),
                (
                    "label_asked",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Labels asked for so far; part of the key that the carrier gets.",
                    ),
                ),
                ("label_pending", models.BooleanField(default=False)),
                ("packed_at", models.DateTimeField()),
                ("labelled_at", models.DateTimeField(null=True)),
                ("handed_over_at", models.DateTimeField(null=True)),
                (
                    "last_heard_at",
                    models.DateTimeField(help_text="When the latest news happened.", null=True),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "issued_under",
                    models.UUIDField(
                        help_text="Cause of the stock movements by which its units left.", null=True
                    ),
                ),
                ("event_seq", models.BigIntegerField(default=0)),
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
                    "fulfillment_order",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="fulfillment.fulfillmentorder",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical parcel",
                "verbose_name_plural": "historical parcels",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalparcel", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalparcel"),
        migrations.CreateModel(
            name="NodeRequest",
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
                            ("cancel", "Cancel units"),
                            ("change", "Change address or service"),
                            ("pull_back", "Give units back"),
                        ],
                        default="cancel",
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("sent", "Asked"),
                            ("accepted", "Accepted"),
                            ("partly", "Accepted in part"),
                            ("refused", "Refused"),
                            ("timed_out", "No answer in time"),
                        ],
                        default="sent",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("asked", models.PositiveIntegerField(help_text="Units.")),
                ("granted", models.PositiveIntegerField(default=0)),
                ("note", models.CharField(default="", max_length=200)),
                ("sent_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("event_seq", models.BigIntegerField(default=0)),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        help_text="The address that a change wants.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.contact",
                    ),
                ),
                (
                    "fulfillment_order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="fulfillment.fulfillmentorder",
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        db_index=False,
                        help_text="The service that a change wants.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.servicelevel",
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
                    "line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="fulfillment.fulfillmentline",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "sent")),
                        fields=["until"],
                        name="node_request_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["sent", "accepted", "partly", "refused", "timed_out"])
                        ),
                        name="node_request_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("granted__lte", models.F("asked"))),
                        name="node_request_within_asked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["cancel", "change", "pull_back"])),
                        name="node_request_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "change"),
                                ("line__isnull", True),
                                models.Q(
                                    ("contact__isnull", False),
                                    ("service_level__isnull", False),
                                    _connector="OR",
                                ),
                            ),
                            models.Q(
                                models.Q(("kind", "change"), _negated=True),
                                ("contact__isnull", True),
                                ("line__isnull", False),
                                ("service_level__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="node_request_is_of_a_line_or_a_change",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "change"), ("state", "sent")),
                        fields=("fulfillment_order",),
                        name="node_request_one_change_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Parcel",
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
                    models.CharField(
                        db_default=django.db.models.expressions.RawSQL(
                            "'P-' || nextval('fulfillment_parcel_number')", ()
                        ),
                        max_length=24,
                        unique=True,
                    ),
                ),
                (
                    "external_id",
                    models.CharField(default="", help_text="The node's own number.", max_length=64),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("packed", "Packed"),
                            ("labelled", "Labelled"),
                            ("manifested", "On a manifest"),
                            ("handed_over", "Handed to the carrier"),
                            ("in_transit", "In transit"),
                            ("out_for_delivery", "Out for delivery"),
                            ("attempted", "Delivery attempted"),
                            ("at_pickup_point", "At a pickup point"),
                            ("delivered", "Delivered"),
                            ("returning", "On its way back"),
                            ("returned", "Came back"),
                            ("damaged", "Damaged"),
                            ("lost", "Lost"),
                            ("voided", "Voided"),
                        ],
                        default="packed",
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("weight_grams", models.PositiveIntegerField()),
                ("carrier_code", models.CharField(default="", max_length=32)),
                ("tracking_number", models.CharField(default="", max_length=64)),
                (
                    "label_asked",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Labels asked for so far; part of the key that the carrier gets.",
                    ),
                ),
                ("label_pending", models.BooleanField(default=False)),
                ("packed_at", models.DateTimeField()),
                ("labelled_at", models.DateTimeField(null=True)),
                ("handed_over_at", models.DateTimeField(null=True)),
                (
                    "last_heard_at",
                    models.DateTimeField(help_text="When the latest news happened.", null=True),
                ),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "issued_under",
                    models.UUIDField(
                        help_text="Cause of the stock movements by which its units left.", null=True
                    ),
                ),
                (
                    "alarms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32),
                        default=list,
                        help_text="Case kinds raised already.",
                        size=None,
                    ),
                ),
                ("event_seq", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "fulfillment_order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parcels",
                        to="fulfillment.fulfillmentorder",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("tracking_number", ""), _negated=True),
                        fields=["tracking_number"],
                        name="parcel_tracking_number",
                    ),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                (
                                    "handed_over",
                                    "in_transit",
                                    "out_for_delivery",
                                    "attempted",
                                    "at_pickup_point",
                                    "returning",
                                ),
                            )
                        ),
                        fields=["last_heard_at"],
                        name="parcel_on_the_way",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ("packed", "labelled", "manifested"))),
                        fields=["packed_at"],
                        name="parcel_at_the_node",
                    ),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                (
                                    "labelled",
                                    "manifested",
                                    "handed_over",
                                    "in_transit",
                                    "out_for_delivery",
                                    "attempted",
                                    "at_pickup_point",
                                    "returning",
                                    "damaged",
                                    "lost",
                                ),
                            )
                        ),
                        fields=["carrier_code", "id"],
                        name="parcel_followed",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "packed",
                                    "labelled",
                                    "manifested",
                                    "handed_over",
                                    "in_transit",
                                    "out_for_delivery",
                                    "attempted",
                                    "at_pickup_point",
                                    "delivered",
                                    "returning",
                                    "returned",
                                    "damaged",
                                    "lost",
                                    "voided",
                                ],
                            )
                        ),
                        name="parcel_state_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("fulfillment_order", "external_id"),
                        name="parcel_packed_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Label",
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
                ("key", models.CharField(max_length=120, unique=True)),
                ("carrier_code", models.CharField(max_length=32)),
                ("tracking_number", models.CharField(max_length=64)),
                (
                    "sealed_with",
                    models.UUIDField(help_text="Key of the person whose address it shows."),
                ),
                ("document", models.BinaryField(help_text="Sealed.")),
                ("media_type", models.CharField(max_length=64)),
                ("cost_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(default="", max_length=3)),
                ("bought_at", models.DateTimeField()),
                ("voided_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "parcel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="labels",
                        to="fulfillment.parcel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["parcel", "-bought_at"], name="label_of_parcel"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ParcelLine",
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
                ("quantity", models.PositiveIntegerField()),
                ("excess", models.PositiveIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parcel_lines",
                        to="fulfillment.fulfillmentline",
                    ),
                ),
                (
                    "parcel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="fulfillment.parcel",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("parcel", "line"), name="parcel_line_once"),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0), ("excess__gt", 0), _connector="OR"),
                        name="parcel_line_holds_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrackingEvent",
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
                    "status",
                    models.CharField(
                        choices=[
                            ("packed", "Packed"),
                            ("labelled", "Labelled"),
                            ("manifested", "On a manifest"),
                            ("handed_over", "Handed to the carrier"),
                            ("in_transit", "In transit"),
                            ("out_for_delivery", "Out for delivery"),
                            ("attempted", "Delivery attempted"),
                            ("at_pickup_point", "At a pickup point"),
                            ("delivered", "Delivered"),
                            ("returning", "On its way back"),
                            ("returned", "Came back"),
                            ("damaged", "Damaged"),
                            ("lost", "Lost"),
                            ("voided", "Voided"),
                        ],
                        max_length=20,
                    ),
                ),
                ("happened_at", models.DateTimeField()),
                ("correction", models.BooleanField(default=False)),
                ("source", models.CharField(max_length=32)),
                ("external_id", models.CharField(max_length=120)),
                ("place", models.CharField(default="", max_length=120)),
                ("at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
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
                    "parcel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tracking",
                        to="fulfillment.parcel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["parcel", "happened_at"], name="tracking_of_parcel"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                (
                                    "handed_over",
                                    "in_transit",
                                    "out_for_delivery",
                                    "attempted",
                                    "at_pickup_point",
                                    "returning",
                                    "delivered",
                                    "returned",
                                    "damaged",
                                    "lost",
                                ),
                            )
                        ),
                        name="tracking_event_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Manifest",
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
                    models.CharField(
                        db_default=django.db.models.expressions.RawSQL(
                            "'M-' || nextval('fulfillment_manifest_number')", ()
                        ),
                        max_length=24,
                        unique=True,
                    ),
                ),
                ("carrier_code", models.CharField(max_length=32)),
                ("day", models.DateField()),
                ("closed_at", models.DateTimeField()),
                (
                    "announced_at",
                    models.DateTimeField(help_text="When the carrier knew of it.", null=True),
                ),
                ("carrier_reference", models.CharField(default="", max_length=64)),
                (
                    "carrier_document",
                    models.BinaryField(default=b"", help_text="PDF; shows no buyer."),
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
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["node", "-id"], name="manifest_of_node"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ManifestLine",
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
                ("taken_back_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "manifest",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="fulfillment.manifest",
                    ),
                ),
                (
                    "parcel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manifest_lines",
                        to="fulfillment.parcel",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("manifest", "parcel"), name="manifest_line_once"
                    ),
                ],
            },
        ),
        config.kernel.operations.PartitionByMonth("trackingevent", "id", by_uuid=True),
        config.kernel.operations.AppendOnly("trackingevent"),
    ]
