"""The tables of returns."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import simple_history.models
from django.db import migrations, models

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import returns.models.photos


class Migration(config.kernel.operations.RenderedOnce):
    initial = True

    dependencies = [
        ("inventory", "0001_initial"),
        ("kernel", "0001_initial"),
        ("orders", "0002_credits"),
    ]

    operations = [
        migrations.RunSQL(
            sql="CREATE SEQUENCE returns_return_number START 100001",
            reverse_sql="DROP SEQUENCE returns_return_number",
        ),
        migrations.RunSQL(
            sql="CREATE SEQUENCE returns_claim_number START 100001",
            reverse_sql="DROP SEQUENCE returns_claim_number",
        ),
        migrations.CreateModel(
            name="Claim",
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
                            "'C-' || nextval('returns_claim_number')", ()
                        ),
                        max_length=24,
                        unique=True,
                    ),
                ),
                ("parcel_id", models.UUIDField(unique=True)),
                ("carrier_code", models.CharField(default="", max_length=32)),
                ("tracking_number", models.CharField(default="", max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("lost", "Lost"), ("damaged", "Damaged")],
                        default="lost",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("filed", "Filed with the carrier"),
                            ("paid", "Paid by the carrier"),
                            ("denied", "Denied by the carrier"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not decided"),
                            ("reship", "Sent again"),
                            ("refund", "Refunded"),
                            ("nothing", "Nothing"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("reship_order_id", models.UUIDField(null=True)),
                ("credited_minor", models.BigIntegerField(default=0)),
                (
                    "amount_minor",
                    models.BigIntegerField(default=0, help_text="What the carrier has paid."),
                ),
                ("currency", models.CharField(default="", max_length=3)),
                (
                    "reference",
                    models.CharField(default="", help_text="The carrier's number.", max_length=128),
                ),
                ("opened_at", models.DateTimeField()),
                ("filed_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
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
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "state", "-id"], name="claim_by_state")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "filed", "paid", "denied", "withdrawn"])
                        ),
                        name="claim_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["lost", "damaged"]),
                            ("resolution__in", ["", "reship", "refund", "nothing"]),
                        ),
                        name="claim_words_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClaimLine",
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
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "claim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="returns.claim",
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
            ],
        ),
        migrations.CreateModel(
            name="HistoricalClaim",
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
                ("parcel_id", models.UUIDField()),
                ("carrier_code", models.CharField(default="", max_length=32)),
                ("tracking_number", models.CharField(default="", max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("lost", "Lost"), ("damaged", "Damaged")],
                        default="lost",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("filed", "Filed with the carrier"),
                            ("paid", "Paid by the carrier"),
                            ("denied", "Denied by the carrier"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not decided"),
                            ("reship", "Sent again"),
                            ("refund", "Refunded"),
                            ("nothing", "Nothing"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("reship_order_id", models.UUIDField(null=True)),
                ("credited_minor", models.BigIntegerField(default=0)),
                (
                    "amount_minor",
                    models.BigIntegerField(default=0, help_text="What the carrier has paid."),
                ),
                ("currency", models.CharField(default="", max_length=3)),
                (
                    "reference",
                    models.CharField(default="", help_text="The carrier's number.", max_length=128),
                ),
                ("opened_at", models.DateTimeField()),
                ("filed_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
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
            ],
            options={
                "verbose_name": "historical claim",
                "verbose_name_plural": "historical claims",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReturnPolicy",
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
                ("version", models.PositiveIntegerField(default=1)),
                ("window_days", models.PositiveSmallIntegerField(default=30)),
                (
                    "reasons",
                    models.JSONField(default=list, help_text="Code, label and class of each."),
                ),
                (
                    "excluded_categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("condition", models.CharField(blank=True, default="", max_length=200)),
                ("fee_minor", models.PositiveBigIntegerField(default=0)),
                ("keep_below_minor", models.PositiveBigIntegerField(default=0)),
                ("review_above_minor", models.PositiveBigIntegerField(default=0)),
                (
                    "label_paid_by",
                    models.CharField(
                        choices=[("merchant", "We"), ("buyer", "The buyer")],
                        default="merchant",
                        max_length=12,
                    ),
                ),
                (
                    "refund_trigger",
                    models.CharField(
                        choices=[
                            ("at_once", "When it is authorised"),
                            ("first_scan", "When the carrier has it"),
                            ("receipt", "When it has arrived"),
                            ("inspection", "When it was inspected"),
                        ],
                        default="inspection",
                        max_length=12,
                    ),
                ),
                (
                    "shipping_back",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("fault", "When we or the goods are at fault"),
                            ("always", "Always"),
                        ],
                        default="fault",
                        max_length=12,
                    ),
                ),
                ("expires_days", models.PositiveSmallIntegerField(default=30)),
                ("authorizes_itself", models.BooleanField(default=False)),
                ("live_from", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
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
            ],
            options={
                "verbose_name": "historical return policy",
                "verbose_name_plural": "historical return policies",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ReturnPolicy",
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
                ("version", models.PositiveIntegerField(default=1)),
                ("window_days", models.PositiveSmallIntegerField(default=30)),
                (
                    "reasons",
                    models.JSONField(default=list, help_text="Code, label and class of each."),
                ),
                (
                    "excluded_categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("condition", models.CharField(blank=True, default="", max_length=200)),
                ("fee_minor", models.PositiveBigIntegerField(default=0)),
                ("keep_below_minor", models.PositiveBigIntegerField(default=0)),
                ("review_above_minor", models.PositiveBigIntegerField(default=0)),
                (
                    "label_paid_by",
                    models.CharField(
                        choices=[("merchant", "We"), ("buyer", "The buyer")],
                        default="merchant",
                        max_length=12,
                    ),
                ),
                (
                    "refund_trigger",
                    models.CharField(
                        choices=[
                            ("at_once", "When it is authorised"),
                            ("first_scan", "When the carrier has it"),
                            ("receipt", "When it has arrived"),
                            ("inspection", "When it was inspected"),
                        ],
                        default="inspection",
                        max_length=12,
                    ),
                ),
                (
                    "shipping_back",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("fault", "When we or the goods are at fault"),
                            ("always", "Always"),
                        ],
                        default="fault",
                        max_length=12,
                    ),
                ),
                ("expires_days", models.PositiveSmallIntegerField(default=30)),
                ("authorizes_itself", models.BooleanField(default=False)),
                ("live_from", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
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
                "verbose_name_plural": "return policies",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "brand", "channel", "version"),
                        name="return_policy_version_once",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at__isnull", True)),
                        fields=("account", "brand", "channel"),
                        name="return_policy_one_live",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("label_paid_by__in", ["merchant", "buyer"]),
                            (
                                "refund_trigger__in",
                                ["at_once", "first_scan", "receipt", "inspection"],
                            ),
                            ("shipping_back__in", ["never", "fault", "always"]),
                        ),
                        name="return_policy_words_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalReturn",
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
                        choices=[
                            ("buyer", "Asked for by the buyer"),
                            ("sent_back", "Sent back by the carrier"),
                            ("in_store", "Handed over in a store"),
                            ("blind", "Came without notice"),
                            ("channel", "Agreed by the channel"),
                        ],
                        default="buyer",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("requested", "Requested"),
                            ("review", "Needs review"),
                            ("authorized", "Authorised"),
                            ("in_transit", "On its way"),
                            ("received", "Received"),
                            ("inspected", "Inspected"),
                            ("settled", "Settled"),
                            ("closed", "Closed"),
                            ("declined", "Declined"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "external_id",
                    models.CharField(default="", help_text="The channel's number.", max_length=128),
                ),
                (
                    "verdict",
                    models.JSONField(
                        default=dict, help_text="What the policy said, when it was asked."
                    ),
                ),
                ("words", models.CharField(default="", max_length=500)),
                ("currency", models.CharField(default="", max_length=3)),
                (
                    "wants",
                    models.CharField(
                        choices=[("refund", "Money back"), ("exchange", "Other goods")],
                        default="refund",
                        max_length=12,
                    ),
                ),
                (
                    "keep",
                    models.BooleanField(default=False, help_text="The buyer keeps the goods."),
                ),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("refunds_shipping", models.BooleanField(default=False)),
                (
                    "label_paid_by",
                    models.CharField(
                        choices=[("merchant", "We"), ("buyer", "The buyer")],
                        default="merchant",
                        max_length=12,
                    ),
                ),
                (
                    "refund_trigger",
                    models.CharField(
                        choices=[
                            ("at_once", "When it is authorised"),
                            ("first_scan", "When the carrier has it"),
                            ("receipt", "When it has arrived"),
                            ("inspection", "When it was inspected"),
                        ],
                        default="inspection",
                        max_length=12,
                    ),
                ),
                (
                    "parcel_id",
                    models.UUIDField(help_text="The parcel that the carrier sent back.", null=True),
                ),
                ("carrier_code", models.CharField(default="", max_length=32)),
                ("tracking_number", models.CharField(default="", max_length=64)),
                ("label_asked", models.PositiveSmallIntegerField(default=0)),
                ("label_pending", models.BooleanField(default=False)),
                ("why_declined", models.CharField(default="", max_length=200)),
                (
                    "credits",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Credit notes written so far."
                    ),
                ),
                ("credited_minor", models.BigIntegerField(default=0)),
                ("exchange_order_id", models.UUIDField(null=True)),
                ("requested_at", models.DateTimeField()),
                ("authorized_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("first_scan_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField(null=True)),
                ("inspected_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField()),
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
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="returns.returnpolicy",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical return",
                "verbose_name_plural": "historical returns",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Return",
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
                            "'R-' || nextval('returns_return_number')", ()
                        ),
                        max_length=24,
                        unique=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("buyer", "Asked for by the buyer"),
                            ("sent_back", "Sent back by the carrier"),
                            ("in_store", "Handed over in a store"),
                            ("blind", "Came without notice"),
                            ("channel", "Agreed by the channel"),
                        ],
                        default="buyer",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("requested", "Requested"),
                            ("review", "Needs review"),
                            ("authorized", "Authorised"),
                            ("in_transit", "On its way"),
                            ("received", "Received"),
                            ("inspected", "Inspected"),
                            ("settled", "Settled"),
                            ("closed", "Closed"),
                            ("declined", "Declined"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "external_id",
                    models.CharField(default="", help_text="The channel's number.", max_length=128),
                ),
                (
                    "verdict",
                    models.JSONField(
                        default=dict, help_text="What the policy said, when it was asked."
                    ),
                ),
                ("words", models.CharField(default="", max_length=500)),
                ("currency", models.CharField(default="", max_length=3)),
                (
                    "wants",
                    models.CharField(
                        choices=[("refund", "Money back"), ("exchange", "Other goods")],
                        default="refund",
                        max_length=12,
                    ),
                ),
                (
                    "keep",
                    models.BooleanField(default=False, help_text="The buyer keeps the goods."),
                ),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("refunds_shipping", models.BooleanField(default=False)),
                (
                    "label_paid_by",
                    models.CharField(
                        choices=[("merchant", "We"), ("buyer", "The buyer")],
                        default="merchant",
                        max_length=12,
                    ),
                ),
                (
                    "refund_trigger",
                    models.CharField(
                        choices=[
                            ("at_once", "When it is authorised"),
                            ("first_scan", "When the carrier has it"),
                            ("receipt", "When it has arrived"),
                            ("inspection", "When it was inspected"),
                        ],
                        default="inspection",
                        max_length=12,
                    ),
                ),
                (
                    "parcel_id",
                    models.UUIDField(help_text="The parcel that the carrier sent back.", null=True),
                ),
                ("carrier_code", models.CharField(default="", max_length=32)),
                ("tracking_number", models.CharField(default="", max_length=64)),
                ("label_asked", models.PositiveSmallIntegerField(default=0)),
                ("label_pending", models.BooleanField(default=False)),
                ("why_declined", models.CharField(default="", max_length=200)),
                (
                    "credits",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Credit notes written so far."
                    ),
                ),
                ("credited_minor", models.BigIntegerField(default=0)),
                ("exchange_order_id", models.UUIDField(null=True)),
                ("requested_at", models.DateTimeField()),
                ("authorized_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("first_scan_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField(null=True)),
                ("inspected_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField()),
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
                    "node",
                    models.ForeignKey(
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="returns.returnpolicy",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order", "id"], name="return_of_order"),
                    models.Index(fields=["account", "state", "-id"], name="return_by_state"),
                    models.Index(
                        condition=models.Q(("tracking_number", ""), _negated=True),
                        fields=["tracking_number"],
                        name="return_tracking_number",
                    ),
                    models.Index(
                        condition=models.Q(("state", "authorized")),
                        fields=["expires_at"],
                        name="return_to_expire",
                    ),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                (
                                    "requested",
                                    "review",
                                    "authorized",
                                    "in_transit",
                                    "received",
                                    "inspected",
                                ),
                            )
                        ),
                        fields=["updated_at"],
                        name="return_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "requested",
                                    "review",
                                    "authorized",
                                    "in_transit",
                                    "received",
                                    "inspected",
                                    "settled",
                                    "closed",
                                    "declined",
                                    "expired",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="return_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["buyer", "sent_back", "in_store", "blind", "channel"])
                        ),
                        name="return_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("order__isnull", False), ("kind__in", ["blind"]), _connector="OR"
                        ),
                        name="return_of_an_order",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("account", "external_id"),
                        name="return_of_a_channel_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("parcel_id__isnull", False)),
                        fields=("parcel_id",),
                        name="return_of_a_parcel_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
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
                ("key", models.CharField(default="", max_length=120)),
                ("received_by", models.CharField(default="", max_length=120)),
                ("at", models.DateTimeField()),
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
                    "returned",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="returns.return",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        fields=("returned", "key"),
                        name="receipt_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnLabel",
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
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "returned",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="labels",
                        to="returns.return",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReturnLine",
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
                ("title", models.CharField(default="", max_length=300)),
                ("reason", models.CharField(default="", max_length=48)),
                ("reason_class", models.CharField(default="", max_length=16)),
                ("requested", models.PositiveIntegerField(default=0)),
                ("received", models.PositiveIntegerField(default=0)),
                ("accepted", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
                ("refunded", models.PositiveIntegerField(default=0)),
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.orderline",
                    ),
                ),
                (
                    "returned",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="returns.return",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("returned", "position"), name="return_line_position_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "accepted__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("received"), "-", models.F("rejected")
                                ),
                            )
                        ),
                        name="return_line_accepted_was_received",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "refunded__lte",
                                django.db.models.functions.comparison.Greatest(
                                    models.F("requested"), models.F("received")
                                ),
                            )
                        ),
                        name="return_line_refunded_was_asked_or_came",
                    ),
                ],
                "indexes": [models.Index(fields=["sku", "-id"], name="return_line_of_sku")],
            },
        ),
        migrations.CreateModel(
            name="ReceiptLine",
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
                ("announced", models.BooleanField(default=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="returns.receipt",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt_lines",
                        to="returns.returnline",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Inspection",
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
                (
                    "grade",
                    models.CharField(
                        choices=[("A", "As new"), ("B", "Opened"), ("C", "Used"), ("D", "Broken")],
                        max_length=1,
                    ),
                ),
                (
                    "disposition",
                    models.CharField(
                        choices=[
                            ("restock", "Back on the shelf"),
                            ("refurbish", "To be worked on"),
                            ("quarantine", "Set apart"),
                            ("destroy", "Destroyed"),
                            ("vendor", "Back to the vendor"),
                        ],
                        max_length=12,
                    ),
                ),
                ("accepted", models.BooleanField()),
                ("verified", models.BooleanField(default=False)),
                ("lot", models.CharField(default="", max_length=64)),
                ("key", models.CharField(default="", max_length=120)),
                ("inspected_by", models.CharField(default="", max_length=120)),
                ("at", models.DateTimeField()),
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
                        related_name="inspections",
                        to="returns.returnline",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("grade__in", ["A", "B", "C", "D"]),
                            (
                                "disposition__in",
                                ["restock", "refurbish", "quarantine", "destroy", "vendor"],
                            ),
                        ),
                        name="inspection_words_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0)), name="inspection_of_something"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        fields=("line", "key"),
                        name="inspection_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnPhoto",
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
                    "file",
                    models.FileField(max_length=200, upload_to=returns.models.photos.stored_as),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("image/jpeg", "JPEG"),
                            ("image/png", "PNG"),
                            ("image/webp", "WEBP"),
                        ],
                        max_length=16,
                    ),
                ),
                ("size_bytes", models.PositiveIntegerField()),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of the file, in hex.", max_length=64),
                ),
                ("taken_by", models.CharField(default="", max_length=120)),
                ("at", models.DateTimeField()),
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
                        related_name="photos",
                        to="returns.returnline",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["image/jpeg", "image/png", "image/webp"])
                        ),
                        name="return_photo_kind_known",
                    ),
                    models.UniqueConstraint(fields=("line", "digest"), name="return_photo_once"),
                ],
            },
        ),
    ]
