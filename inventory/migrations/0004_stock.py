"""Stock at work: every kind of movement, adjustments, transfers, counts again, old months closed."""

import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations

NUMBERS = (
    "inventory_adjustment_number",
    "inventory_transfer_number",
    "inventory_transfer_claim_number",
)

# Partitions belong to the owner: this function is the one thing the running role may have done to
# them. It takes the oldest month off the ledger, which the caller has carried forward.
DETACH_MOVEMENTS = """
CREATE FUNCTION detach_movements(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    oldest text;
BEGIN
    SELECT min(c.relname) INTO oldest FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.inventory_movement'::regclass
      AND c.relname ~ '^inventory_movement_[0-9]{6}$';
    IF oldest IS DISTINCT FROM 'inventory_movement_' || to_char(month, 'YYYYMM') THEN
        RAISE EXCEPTION '% is not the oldest month of the ledger', month;
    END IF;
    EXECUTE format('ALTER TABLE public.inventory_movement DETACH PARTITION public.%I', oldest);
    RETURN oldest;
END $$;
REVOKE ALL ON FUNCTION detach_movements(date) FROM PUBLIC;
"""


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("inventory", "0003_network"),
    ]

    operations = [
        *(
            migrations.RunSQL(
                f"CREATE SEQUENCE {name} AS bigint START 100001", f"DROP SEQUENCE {name}"
            )
            for name in NUMBERS
        ),
        migrations.RunSQL(DETACH_MOVEMENTS, "DROP FUNCTION detach_movements(date)"),
        migrations.AddField(
            model_name="countrequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("short", "A picker did not find it"),
                    ("damaged", "A picker found it broken"),
                    ("cycle", "Its turn in the cycle"),
                    ("difference", "Book and fact differ"),
                    ("manual", "Asked by hand"),
                ],
                default="manual",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="countrequest",
            name="due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="countrequest",
            name="first_counted",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="countrequest",
            name="first_counted_by",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="countrequest",
            name="counted_by",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="countrequest",
            name="cancel_reason",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="node",
            name="puts_away",
            field=models.BooleanField(
                default=False,
                help_text="Receipts lie in receiving until somebody has put them away.",
            ),
        ),
        migrations.AddField(
            model_name="historicalnode",
            name="puts_away",
            field=models.BooleanField(
                default=False,
                help_text="Receipts lie in receiving until somebody has put them away.",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="counts_per_day",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="SKUs that the node is asked to count each day in the cycle."
            ),
        ),
        migrations.AddField(
            model_name="historicalnode",
            name="counts_per_day",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="SKUs that the node is asked to count each day in the cycle."
            ),
        ),
        migrations.CreateModel(
            name="StockAdjustment",
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
                            "'A-' || nextval('inventory_adjustment_number')", ()
                        ),
                        max_length=24,
                        unique=True,
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
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
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
                ("owner_id", models.UUIDField()),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("available", "Available"),
                            ("receiving", "Receiving"),
                            ("reserve_storage", "Reserve storage"),
                            ("quality_hold", "Quality hold"),
                            ("damaged", "Damaged"),
                            ("count_pending", "Count pending"),
                        ],
                        default="available",
                        max_length=16,
                    ),
                ),
                ("lot", models.CharField(blank=True, default="", max_length=64)),
                ("expires_on", models.DateField(blank=True, null=True)),
                ("quantity", models.BigIntegerField()),
                ("expected_on_hand", models.BigIntegerField(blank=True, null=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("correction", "Correction of the book"),
                            ("found", "Found"),
                            ("loss", "Lost or stolen"),
                            ("damage", "Damaged"),
                            ("expired", "Past its date"),
                            ("sample", "Sample or own use"),
                            ("disposal", "Disposed of or given away"),
                        ],
                        max_length=16,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("value_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(default="USD", max_length=3)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("proposed", "Awaits approval"),
                            ("approved", "Approved"),
                            ("applied", "Applied"),
                            ("declined", "Declined"),
                        ],
                        default="proposed",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("proposed_by", models.CharField(max_length=64)),
                ("proposed_by_name", models.CharField(default="", max_length=120)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=64)),
                ("decided_by_name", models.CharField(blank=True, default="", max_length=120)),
                ("decision_note", models.CharField(blank=True, default="", max_length=200)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("movement_id", models.UUIDField(blank=True, null=True)),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "state", "-id"], name="adjustment_by_state")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["proposed", "approved", "applied", "declined"]),
                            (
                                "reason__in",
                                [
                                    "correction",
                                    "found",
                                    "loss",
                                    "damage",
                                    "expired",
                                    "sample",
                                    "disposal",
                                ],
                            ),
                            (
                                "condition__in",
                                [
                                    "available",
                                    "receiving",
                                    "reserve_storage",
                                    "quality_hold",
                                    "damaged",
                                    "count_pending",
                                ],
                            ),
                        ),
                        name="adjustment_words_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity", 0), _negated=True), name="adjustment_moves"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "applied"), _negated=True),
                            ("movement_id__isnull", False),
                            _connector="OR",
                        ),
                        name="adjustment_applied_in_ledger",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalStockAdjustment",
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
                ("owner_id", models.UUIDField()),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("available", "Available"),
                            ("receiving", "Receiving"),
                            ("reserve_storage", "Reserve storage"),
                            ("quality_hold", "Quality hold"),
                            ("damaged", "Damaged"),
                            ("count_pending", "Count pending"),
                        ],
                        default="available",
                        max_length=16,
                    ),
                ),
                ("lot", models.CharField(blank=True, default="", max_length=64)),
                ("expires_on", models.DateField(blank=True, null=True)),
                ("quantity", models.BigIntegerField()),
                ("expected_on_hand", models.BigIntegerField(blank=True, null=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("correction", "Correction of the book"),
                            ("found", "Found"),
                            ("loss", "Lost or stolen"),
                            ("damage", "Damaged"),
                            ("expired", "Past its date"),
                            ("sample", "Sample or own use"),
                            ("disposal", "Disposed of or given away"),
                        ],
                        max_length=16,
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("value_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(default="USD", max_length=3)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("proposed", "Awaits approval"),
                            ("approved", "Approved"),
                            ("applied", "Applied"),
                            ("declined", "Declined"),
                        ],
                        default="proposed",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("proposed_by", models.CharField(max_length=64)),
                ("proposed_by_name", models.CharField(default="", max_length=120)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=64)),
                ("decided_by_name", models.CharField(blank=True, default="", max_length=120)),
                ("decision_note", models.CharField(blank=True, default="", max_length=200)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("movement_id", models.UUIDField(blank=True, null=True)),
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
                    "sku",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.sku",
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
                "verbose_name": "historical stock adjustment",
                "verbose_name_plural": "historical stock adjustments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalstockadjustment",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalstockadjustment"),
        migrations.CreateModel(
            name="Transfer",
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
                            "'T-' || nextval('inventory_transfer_number')", ()
                        ),
                        max_length=24,
                        unique=True,
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
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_out",
                        to="inventory.node",
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_in",
                        to="inventory.node",
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("draft", "Draft"),
                            ("approved", "Approved"),
                            ("released", "Released"),
                            ("shipped", "Shipped"),
                            ("received", "Received"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("replenish", "Replenishment"),
                            ("rebalance", "Rebalancing"),
                            ("ship_to_store", "Ship to store"),
                            ("return", "Return to a warehouse"),
                        ],
                        default="rebalance",
                        max_length=16,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What the goods travel under.",
                        max_length=64,
                    ),
                ),
                (
                    "thread_id",
                    models.UUIDField(
                        blank=True, help_text="The document for which the goods move.", null=True
                    ),
                ),
                ("eta_at", models.DateTimeField(blank=True, null=True)),
                (
                    "inbound",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfer",
                        to="inventory.inbound",
                    ),
                ),
                ("drafted_at", models.DateTimeField()),
                ("drafted_by", models.CharField(max_length=64)),
                ("drafted_by_name", models.CharField(default="", max_length=120)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("approved_by_name", models.CharField(blank=True, default="", max_length=120)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("shipped_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_reason", models.CharField(blank=True, default="", max_length=200)),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "state", "-id"], name="transfer_by_state"),
                    models.Index(
                        condition=models.Q(("thread_id__isnull", False)),
                        fields=["thread_id"],
                        name="transfer_thread",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "draft",
                                    "approved",
                                    "released",
                                    "shipped",
                                    "received",
                                    "closed",
                                    "cancelled",
                                ],
                            ),
                            ("purpose__in", ["replenish", "rebalance", "ship_to_store", "return"]),
                        ),
                        name="transfer_words_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("destination")), _negated=True),
                        name="transfer_between_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalTransfer",
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
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("draft", "Draft"),
                            ("approved", "Approved"),
                            ("released", "Released"),
                            ("shipped", "Shipped"),
                            ("received", "Received"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("replenish", "Replenishment"),
                            ("rebalance", "Rebalancing"),
                            ("ship_to_store", "Ship to store"),
                            ("return", "Return to a warehouse"),
                        ],
                        default="rebalance",
                        max_length=16,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What the goods travel under.",
                        max_length=64,
                    ),
                ),
                (
                    "thread_id",
                    models.UUIDField(
                        blank=True, help_text="The document for which the goods move.", null=True
                    ),
                ),
                ("eta_at", models.DateTimeField(blank=True, null=True)),
                ("drafted_at", models.DateTimeField()),
                ("drafted_by", models.CharField(max_length=64)),
                ("drafted_by_name", models.CharField(default="", max_length=120)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("approved_by_name", models.CharField(blank=True, default="", max_length=120)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("shipped_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_reason", models.CharField(blank=True, default="", max_length=200)),
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
                    "source",
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
                    "destination",
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
                    "inbound",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.inbound",
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
                "verbose_name": "historical transfer",
                "verbose_name_plural": "historical transfers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicaltransfer", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicaltransfer"),
        migrations.CreateModel(
            name="TransferLine",
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
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="inventory.transfer",
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
                ("requested", models.BigIntegerField()),
                ("shipped", models.BigIntegerField(default=0)),
                ("received", models.BigIntegerField(default=0)),
                ("damaged", models.BigIntegerField(default=0)),
                ("missing", models.BigIntegerField(default=0)),
                (
                    "inbound_line",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.inboundline",
                    ),
                ),
                (
                    "demand_id",
                    models.UUIDField(help_text="For whom the units move, if for one.", null=True),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("damaged__gte", 0),
                            ("missing__gte", 0),
                            ("received__gte", 0),
                            ("requested__gt", 0),
                            ("shipped__gte", 0),
                        ),
                        name="transfer_line_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("missing", 0),
                            (
                                "shipped__gte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("received"), "+", models.F("damaged")
                                    ),
                                    "+",
                                    models.F("missing"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_line_adds_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TransferClaim",
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
                            "'TC-' || nextval('inventory_transfer_claim_number')", ()
                        ),
                        max_length=24,
                        unique=True,
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to="inventory.transferline",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("missing", "Missing"), ("damaged", "Damaged")], max_length=12
                    ),
                ),
                ("quantity", models.BigIntegerField()),
                ("value_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("settled", "Settled"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("settled_minor", models.BigIntegerField(default=0)),
                ("reference", models.CharField(blank=True, default="", max_length=64)),
                ("opened_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("line", "kind"), name="transfer_claim_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "settled", "withdrawn"]),
                            ("kind__in", ["missing", "damaged"]),
                        ),
                        name="transfer_claim_words_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0), ("settled_minor__gte", 0)),
                        name="transfer_claim_some",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalTransferClaim",
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
                    "kind",
                    models.CharField(
                        choices=[("missing", "Missing"), ("damaged", "Damaged")], max_length=12
                    ),
                ),
                ("quantity", models.BigIntegerField()),
                ("value_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("settled", "Settled"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("settled_minor", models.BigIntegerField(default=0)),
                ("reference", models.CharField(blank=True, default="", max_length=64)),
                ("opened_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
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
                    "line",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.transferline",
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
                "verbose_name": "historical transfer claim",
                "verbose_name_plural": "historical transfer claims",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicaltransferclaim",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicaltransferclaim"),
    ]
