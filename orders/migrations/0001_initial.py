"""The tables of orders, with the sequence of their numbers and what may only grow."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

SEQUENCE = "CREATE SEQUENCE orders_order_number AS bigint START 100001"


class Migration(config.kernel.operations.RenderedOnce):
    initial = True

    dependencies = [
        ("inventory", "0001_initial"),
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(SEQUENCE, "DROP SEQUENCE orders_order_number"),
        migrations.CreateModel(
            name="Contact",
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
                ("sealed", models.BinaryField(null=True)),
                ("email_hash", models.CharField(default="", max_length=64)),
                ("phone_hash", models.CharField(default="", max_length=64)),
                ("name_hash", models.CharField(default="", max_length=64)),
                ("region", models.CharField(default="", max_length=64)),
                ("postal_code", models.CharField(default="", max_length=16)),
                ("country", models.CharField(default="", max_length=2)),
                ("erased_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.subjectkey",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("email_hash", ""), _negated=True),
                        fields=["email_hash"],
                        name="contact_email",
                    ),
                    models.Index(
                        condition=models.Q(("phone_hash", ""), _negated=True),
                        fields=["phone_hash"],
                        name="contact_phone",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("identity", models.CharField(max_length=200)),
                ("external_id", models.CharField(default="", max_length=128)),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_index=False,
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                        db_index=False,
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.contact",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "identity"), name="customer_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalOrder",
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
                ("number", models.CharField(max_length=16)),
                (
                    "document_kind",
                    models.CharField(
                        choices=[("sale", "Sale"), ("reship", "Reship"), ("exchange", "Exchange")],
                        default="sale",
                        max_length=12,
                    ),
                ),
                ("external_id", models.CharField(max_length=128)),
                ("external_number", models.CharField(default="", max_length=64)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("live", "Live"),
                            ("open", "Open at cutover"),
                            ("history", "History"),
                        ],
                        default="live",
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("draft", "Draft"),
                            ("captured", "Captured"),
                            ("accepted", "Accepted"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="captured",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "progress",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for stock"),
                            ("with_channel", "With the channel"),
                            ("backordered", "Backordered"),
                            ("partly_reserved", "Partly reserved"),
                            ("reserved", "Reserved"),
                            ("partly_released", "Partly at the node"),
                            ("released", "At the node"),
                            ("partly_shipped", "Partly shipped"),
                            ("shipped", "Shipped"),
                            ("partly_delivered", "Partly delivered"),
                            ("delivered", "Delivered"),
                            ("lost", "Lost or sent back"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                (
                    "payment_state",
                    models.CharField(
                        choices=[
                            ("none", "Nothing to pay"),
                            ("pending", "Waiting for payment"),
                            ("authorized", "Authorised"),
                            ("partly_captured", "Partly captured"),
                            ("captured", "Captured"),
                            ("elsewhere", "Collected elsewhere"),
                            ("failed", "Failed"),
                            ("cancelled", "Given back"),
                        ],
                        default="none",
                        max_length=20,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("tax_inclusive", models.BooleanField(default=False)),
                ("placed_at", models.DateTimeField()),
                ("captured_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
                ("items_minor", models.BigIntegerField(default=0)),
                ("discount_minor", models.BigIntegerField(default=0)),
                ("shipping_minor", models.BigIntegerField(default=0)),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("invoiced_minor", models.BigIntegerField(default=0)),
                ("cancelled_minor", models.BigIntegerField(default=0)),
                ("holds_open", models.PositiveIntegerField(default=0)),
                (
                    "blocked",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), default=list, size=None
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("plan_version", models.BigIntegerField(default=0)),
                ("event_seq", models.BigIntegerField(default=0)),
                ("ship_by", models.DateTimeField(null=True)),
                ("deliver_by", models.DateTimeField(null=True)),
                ("remorse_until", models.DateTimeField(null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                (
                    "customer_tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48),
                        default=list,
                        help_text="What the channel said of its customer when the order was placed: vip, wholesale.",
                        size=None,
                    ),
                ),
                ("lookalike_hash", models.CharField(default="", max_length=64)),
                ("inbox_id", models.UUIDField(null=True)),
                ("updated_at", models.DateTimeField()),
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
                    "billing_contact",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.contact",
                    ),
                ),
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
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical order",
                "verbose_name_plural": "historical orders",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalorder", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalorder"),
        migrations.CreateModel(
            name="Order",
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
                            "'SY-' || nextval('orders_order_number')", ()
                        ),
                        max_length=16,
                    ),
                ),
                (
                    "document_kind",
                    models.CharField(
                        choices=[("sale", "Sale"), ("reship", "Reship"), ("exchange", "Exchange")],
                        default="sale",
                        max_length=12,
                    ),
                ),
                ("external_id", models.CharField(max_length=128)),
                ("external_number", models.CharField(default="", max_length=64)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("live", "Live"),
                            ("open", "Open at cutover"),
                            ("history", "History"),
                        ],
                        default="live",
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("draft", "Draft"),
                            ("captured", "Captured"),
                            ("accepted", "Accepted"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="captured",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "progress",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for stock"),
                            ("with_channel", "With the channel"),
                            ("backordered", "Backordered"),
                            ("partly_reserved", "Partly reserved"),
                            ("reserved", "Reserved"),
                            ("partly_released", "Partly at the node"),
                            ("released", "At the node"),
                            ("partly_shipped", "Partly shipped"),
                            ("shipped", "Shipped"),
                            ("partly_delivered", "Partly delivered"),
                            ("delivered", "Delivered"),
                            ("lost", "Lost or sent back"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                (
                    "payment_state",
                    models.CharField(
                        choices=[
                            ("none", "Nothing to pay"),
                            ("pending", "Waiting for payment"),
                            ("authorized", "Authorised"),
                            ("partly_captured", "Partly captured"),
                            ("captured", "Captured"),
                            ("elsewhere", "Collected elsewhere"),
                            ("failed", "Failed"),
                            ("cancelled", "Given back"),
                        ],
                        default="none",
                        max_length=20,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("tax_inclusive", models.BooleanField(default=False)),
                ("placed_at", models.DateTimeField()),
                ("captured_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
                ("items_minor", models.BigIntegerField(default=0)),
                ("discount_minor", models.BigIntegerField(default=0)),
                ("shipping_minor", models.BigIntegerField(default=0)),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("invoiced_minor", models.BigIntegerField(default=0)),
                ("cancelled_minor", models.BigIntegerField(default=0)),
                ("holds_open", models.PositiveIntegerField(default=0)),
                (
                    "blocked",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), default=list, size=None
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("plan_version", models.BigIntegerField(default=0)),
                ("event_seq", models.BigIntegerField(default=0)),
                ("ship_by", models.DateTimeField(null=True)),
                ("deliver_by", models.DateTimeField(null=True)),
                ("remorse_until", models.DateTimeField(null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                (
                    "customer_tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48),
                        default=list,
                        help_text="What the channel said of its customer when the order was placed: vip, wholesale.",
                        size=None,
                    ),
                ),
                ("lookalike_hash", models.CharField(default="", max_length=64)),
                ("inbox_id", models.UUIDField(null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_index=False,
                    ),
                ),
                (
                    "billing_contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.contact",
                        db_index=False,
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.brand",
                        db_index=False,
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                        db_index=False,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="orders.customer",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-id"], name="order_recent"),
                    models.Index(fields=["account", "state", "-id"], name="order_by_state"),
                    models.Index(fields=["account", "progress", "-id"], name="order_by_progress"),
                    models.Index(fields=["channel", "-id"], name="order_by_channel"),
                    models.Index(fields=["customer", "-id"], name="order_by_customer"),
                    models.Index(fields=["billing_contact"], name="order_by_contact"),
                    models.Index(fields=["external_number"], name="order_external_number"),
                    models.Index(
                        models.F("captured_at"),
                        condition=models.Q(("state", "captured")),
                        name="order_to_accept",
                    ),
                    models.Index(
                        condition=models.Q(("state", "accepted")),
                        fields=["account", "ship_by"],
                        name="order_open_ship_by",
                    ),
                    models.Index(
                        condition=models.Q(("holds_open__gt", 0)),
                        fields=["account", "-id"],
                        name="order_held",
                    ),
                    models.Index(fields=["lookalike_hash", "placed_at"], name="order_lookalikes"),
                    models.Index(fields=["account", "updated_at", "id"], name="order_by_update"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["placed_at"],
                        name="order_placed_brin",
                        pages_per_range=32,
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="order_number_once"),
                    models.UniqueConstraint(
                        fields=("external_id", "channel", "document_kind"),
                        name="order_captured_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "captured", "accepted", "closed", "cancelled"])
                        ),
                        name="order_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "progress__in",
                                [
                                    "waiting",
                                    "with_channel",
                                    "backordered",
                                    "partly_reserved",
                                    "reserved",
                                    "partly_released",
                                    "released",
                                    "partly_shipped",
                                    "shipped",
                                    "partly_delivered",
                                    "delivered",
                                    "lost",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="order_progress_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "payment_state__in",
                                [
                                    "none",
                                    "pending",
                                    "authorized",
                                    "partly_captured",
                                    "captured",
                                    "elsewhere",
                                    "failed",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="order_payment_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("document_kind__in", ["sale", "reship", "exchange"])),
                        name="order_document_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["live", "open", "history"])),
                        name="order_mode_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
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
                ("parcel_id", models.UUIDField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "Invoice"), ("credit_note", "Credit note")],
                        default="invoice",
                        max_length=12,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="invoice_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invoice", "credit_note"])),
                        name="invoice_kind_known",
                    ),
                ],
            },
        ),
        config.kernel.operations.AppendOnly("invoice"),
        migrations.CreateModel(
            name="DeliveryGroup",
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
                ("position", models.PositiveSmallIntegerField()),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("ship", "Ship"),
                            ("pickup", "Pickup"),
                            ("ship_to_store", "Ship to store"),
                            ("own_delivery", "Own delivery"),
                            ("digital", "Digital"),
                            ("none", "Handed over"),
                        ],
                        default="ship",
                        max_length=16,
                    ),
                ),
                (
                    "fulfilled_by",
                    models.CharField(
                        choices=[
                            ("us", "Us"),
                            ("channel", "The channel"),
                            ("elsewhere", "Elsewhere"),
                        ],
                        default="us",
                        max_length=12,
                    ),
                ),
                ("postal_code", models.CharField(default="", max_length=16)),
                ("region", models.CharField(default="", max_length=64)),
                ("country", models.CharField(default="", max_length=2)),
                ("service_code", models.CharField(default="", max_length=32)),
                ("ship_complete", models.BooleanField(default=False)),
                ("not_before", models.DateTimeField(null=True)),
                ("requested_by", models.DateTimeField(null=True)),
                ("gift_message", models.BinaryField(null=True)),
                ("handling_notes", models.CharField(default="", max_length=500)),
                ("ship_by", models.DateTimeField(null=True)),
                ("deliver_by", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.contact",
                        db_index=False,
                    ),
                ),
                (
                    "pickup_node",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                        db_index=False,
                    ),
                ),
                (
                    "pinned_node",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                        db_index=False,
                    ),
                ),
                (
                    "service_level",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.servicelevel",
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="groups",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["contact"], name="group_by_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order", "position"), name="group_position_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "method__in",
                                [
                                    "ship",
                                    "pickup",
                                    "ship_to_store",
                                    "own_delivery",
                                    "digital",
                                    "none",
                                ],
                            )
                        ),
                        name="group_method_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fulfilled_by__in", ["us", "channel", "elsewhere"])),
                        name="group_fulfilled_by_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Authorization",
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
                ("reference", models.CharField(max_length=128)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("requested", "Requested"),
                            ("live", "Live"),
                            ("expired", "Expired"),
                            ("voided", "Voided"),
                            ("used", "Used"),
                        ],
                        default="live",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("void_asked_at", models.DateTimeField(null=True)),
                ("refused_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorizations",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order"], name="authorization_order"),
                    models.Index(
                        models.F("expires_at"),
                        condition=models.Q(
                            ("expires_at__isnull", False), ("state__in", ["requested", "live"])
                        ),
                        name="authorization_to_expire",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["requested", "live", "expired", "voided", "used"])
                        ),
                        name="authorization_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
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
                ("position", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stock", "Stock"),
                            ("kit", "Kit"),
                            ("service", "Service"),
                            ("digital", "Digital"),
                            ("gift_card", "Gift card"),
                        ],
                        default="stock",
                        max_length=12,
                    ),
                ),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("kit_component", "Component of a kit"),
                            ("gift", "Gift with purchase"),
                            ("wrap", "Gift wrap"),
                            ("engraving", "Engraving"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("external_sku", models.CharField(default="", max_length=128)),
                ("external_id", models.CharField(default="", max_length=128)),
                ("title", models.CharField(default="", max_length=300)),
                ("unit_weight_grams", models.PositiveIntegerField(default=0)),
                ("unit_price", models.DecimalField(decimal_places=6, default=0, max_digits=18)),
                ("gross_minor", models.BigIntegerField(default=0)),
                ("discount_minor", models.BigIntegerField(default=0)),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("properties", models.JSONField(default=dict)),
                ("ordered", models.IntegerField()),
                ("pending", models.IntegerField(default=0)),
                ("backordered", models.IntegerField(default=0)),
                ("reserved", models.IntegerField(default=0)),
                ("released", models.IntegerField(default=0)),
                ("shipped", models.IntegerField(default=0)),
                ("cancelled", models.IntegerField(default=0)),
                ("underway", models.IntegerField(default=0)),
                ("delivered", models.IntegerField(default=0)),
                ("lost", models.IntegerField(default=0)),
                ("sent_back", models.IntegerField(default=0)),
                ("returned", models.IntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="orders.deliverygroup",
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="orders.orderline",
                        db_index=False,
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.sku",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group"], name="line_group"),
                    models.Index(fields=["sku", "-id"], name="line_sku"),
                    models.Index(
                        condition=models.Q(
                            ("backordered__gt", 0), ("pending__gt", 0), _connector="OR"
                        ),
                        fields=["sku", "id"],
                        name="line_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("sku__isnull", True)),
                        fields=["account", "external_sku"],
                        name="line_unmapped",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order", "position"), name="line_position_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["stock", "kit", "service", "digital", "gift_card"])
                        ),
                        name="line_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("relation__in", ["", "kit_component", "gift", "wrap", "engraving"])
                        ),
                        name="line_relation_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("backordered", 0),
                                ("cancelled", 0),
                                ("kind", "kit"),
                                ("pending", 0),
                                ("released", 0),
                                ("reserved", 0),
                                ("shipped", 0),
                            ),
                            models.Q(
                                models.Q(("kind", "kit"), _negated=True),
                                (
                                    "ordered",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        models.F("pending"),
                                                        "+",
                                                        models.F("backordered"),
                                                    ),
                                                    "+",
                                                    models.F("reserved"),
                                                ),
                                                "+",
                                                models.F("released"),
                                            ),
                                            "+",
                                            models.F("shipped"),
                                        ),
                                        "+",
                                        models.F("cancelled"),
                                    ),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="line_units_add_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "shipped",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("underway"), "+", models.F("delivered")
                                        ),
                                        "+",
                                        models.F("lost"),
                                    ),
                                    "+",
                                    models.F("sent_back"),
                                ),
                            )
                        ),
                        name="line_shipped_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("returned__lte", models.F("delivered"))),
                        name="line_returned_was_delivered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("backordered__gte", 0),
                            ("cancelled__gte", 0),
                            ("delivered__gte", 0),
                            ("lost__gte", 0),
                            ("ordered__gte", 0),
                            ("pending__gte", 0),
                            ("released__gte", 0),
                            ("reserved__gte", 0),
                            ("returned__gte", 0),
                            ("sent_back__gte", 0),
                            ("shipped__gte", 0),
                            ("underway__gte", 0),
                        ),
                        name="line_units_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LineCancellation",
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
                ("amount_minor", models.BigIntegerField(default=0)),
                ("reason", models.CharField(max_length=200)),
                (
                    "initiator",
                    models.CharField(
                        choices=[
                            ("buyer", "Buyer"),
                            ("merchant", "Merchant"),
                            ("system", "Switchyard"),
                            ("channel", "Channel"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cancellations",
                        to="orders.order",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cancellations",
                        to="orders.orderline",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="cancellation_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("initiator__in", ["buyer", "merchant", "system", "channel"])
                        ),
                        name="cancellation_initiator_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 1)),
                        name="cancellation_quantity_positive",
                    ),
                ],
            },
        ),
        config.kernel.operations.AppendOnly("linecancellation"),
        migrations.CreateModel(
            name="Hold",
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
                ("type", models.CharField(max_length=24)),
                (
                    "scope",
                    models.CharField(
                        choices=[("order", "Order"), ("group", "Delivery group"), ("line", "Line")],
                        default="order",
                        max_length=8,
                    ),
                ),
                (
                    "blocks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), default=list, size=None
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("active", "Active"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="active",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("owner_team", models.CharField(default="", max_length=32)),
                ("handle", models.CharField(max_length=160)),
                ("placed_by", models.CharField(max_length=120)),
                ("placed_at", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("deadline_at", models.DateTimeField(null=True)),
                ("stock_given_back_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(default="", max_length=120)),
                ("ended_reason", models.CharField(default="", max_length=500)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="orders.deliverygroup",
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="orders.orderline",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="hold_order"),
                    models.Index(
                        condition=models.Q(("state", "active")),
                        fields=["account", "type"],
                        name="hold_queue",
                    ),
                    models.Index(
                        models.F("until"),
                        condition=models.Q(("state", "active"), ("until__isnull", False)),
                        name="hold_until",
                    ),
                    models.Index(
                        models.F("deadline_at"),
                        condition=models.Q(
                            ("deadline_at__isnull", False),
                            ("state", "active"),
                            ("stock_given_back_at__isnull", True),
                        ),
                        name="hold_deadline",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "released", "expired"])),
                        name="hold_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["order", "group", "line"])),
                        name="hold_scope_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "active")),
                        fields=("order", "placed_by", "handle"),
                        name="hold_handle_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalHold",
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
                ("type", models.CharField(max_length=24)),
                (
                    "scope",
                    models.CharField(
                        choices=[("order", "Order"), ("group", "Delivery group"), ("line", "Line")],
                        default="order",
                        max_length=8,
                    ),
                ),
                (
                    "blocks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), default=list, size=None
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("active", "Active"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="active",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("owner_team", models.CharField(default="", max_length=32)),
                ("handle", models.CharField(max_length=160)),
                ("placed_by", models.CharField(max_length=120)),
                ("placed_at", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("deadline_at", models.DateTimeField(null=True)),
                ("stock_given_back_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(default="", max_length=120)),
                ("ended_reason", models.CharField(default="", max_length=500)),
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
                    "line",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.orderline",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical hold",
                "verbose_name_plural": "historical holds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalhold", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalhold"),
        migrations.CreateModel(
            name="OrderNote",
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
                ("sealed", models.BinaryField()),
                ("author", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.subjectkey",
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="note_order"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Promise",
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
                ("version", models.PositiveIntegerField()),
                ("ship_by", models.DateTimeField()),
                ("deliver_earliest", models.DateTimeField()),
                ("deliver_latest", models.DateTimeField()),
                ("cause", models.CharField(default="accept", max_length=32)),
                ("basis", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="promises",
                        to="orders.deliverygroup",
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="promises",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="promise_order"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "version"), name="promise_version_once"
                    ),
                ],
            },
        ),
        config.kernel.operations.AppendOnly("promise"),
        migrations.CreateModel(
            name="Tender",
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
                ("position", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=24)),
                ("provider", models.CharField(default="", max_length=32)),
                (
                    "collected_by",
                    models.CharField(
                        choices=[
                            ("us", "Us"),
                            ("channel", "The channel"),
                            ("terms", "On account"),
                            ("till", "The till"),
                        ],
                        default="us",
                        max_length=8,
                    ),
                ),
                ("capabilities", models.JSONField(default=dict)),
                ("amount_minor", models.BigIntegerField()),
                ("captured_minor", models.BigIntegerField(default=0)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tenders",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order", "position"), name="tender_position_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("collected_by__in", ["us", "channel", "terms", "till"])
                        ),
                        name="tender_collected_by_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("captured_minor__gte", 0),
                            ("captured_minor__lte", models.F("amount_minor")),
                        ),
                        name="tender_captured_within_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refunded_minor__gte", 0),
                            ("refunded_minor__lte", models.F("captured_minor")),
                        ),
                        name="tender_refunded_was_captured",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
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
                ("amount_minor", models.BigIntegerField()),
                ("reason", models.CharField(default="", max_length=200)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("pending", "Pending"),
                            ("sent", "Sent"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("retried", "Retried"),
                            ("manual", "Settled by hand"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reference", models.CharField(default="", max_length=128)),
                ("failure", models.CharField(default="", max_length=200)),
                ("at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
                (
                    "tender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order"], name="refund_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["pending", "sent", "succeeded", "failed", "retried", "manual"],
                            )
                        ),
                        name="refund_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="refund_amount_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalRefund",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("reason", models.CharField(default="", max_length=200)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("pending", "Pending"),
                            ("sent", "Sent"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("retried", "Retried"),
                            ("manual", "Settled by hand"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reference", models.CharField(default="", max_length=128)),
                ("failure", models.CharField(default="", max_length=200)),
                ("at", models.DateTimeField()),
                ("history_at", models.DateTimeField()),
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
                    "tender",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical refund",
                "verbose_name_plural": "historical refunds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalrefund", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalrefund"),
        migrations.CreateModel(
            name="HistoricalCapture",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                ("parcel_id", models.UUIDField(null=True)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("requested", "Requested"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("unknown", "Outcome unknown"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reference", models.CharField(default="", max_length=128)),
                ("failure", models.CharField(default="", max_length=200)),
                ("at", models.DateTimeField()),
                ("history_at", models.DateTimeField()),
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
                    "authorization",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.authorization",
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
                    "tender",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical capture",
                "verbose_name_plural": "historical captures",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalcapture", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalcapture"),
        migrations.CreateModel(
            name="HistoricalAuthorization",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                ("reference", models.CharField(max_length=128)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("requested", "Requested"),
                            ("live", "Live"),
                            ("expired", "Expired"),
                            ("voided", "Voided"),
                            ("used", "Used"),
                        ],
                        default="live",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("void_asked_at", models.DateTimeField(null=True)),
                ("refused_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField()),
                ("history_at", models.DateTimeField()),
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
                    "tender",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical authorization",
                "verbose_name_plural": "historical authorizations",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalauthorization",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalauthorization"),
        migrations.CreateModel(
            name="Capture",
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
                ("parcel_id", models.UUIDField(null=True)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("requested", "Requested"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("unknown", "Outcome unknown"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reference", models.CharField(default="", max_length=128)),
                ("failure", models.CharField(default="", max_length=200)),
                ("at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "authorization",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="captures",
                        to="orders.authorization",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="captures",
                        to="orders.order",
                        db_index=False,
                    ),
                ),
                (
                    "tender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="captures",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order"], name="capture_order"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["requested", "succeeded", "failed", "unknown", "withdrawn"],
                            )
                        ),
                        name="capture_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="capture_amount_positive"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="authorization",
            name="tender",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="authorizations",
                to="orders.tender",
                db_index=False,
            ),
        ),
    ]
