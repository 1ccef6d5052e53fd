import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import datetime
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("inventory", "0007_availability"),
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
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
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feeds",
                        to="inventory.node",
                    ),
                ),
                ("source", models.CharField(max_length=64)),
                (
                    "semantics",
                    models.CharField(
                        choices=[
                            ("snapshot", "Snapshot"),
                            ("delta", "Delta"),
                            ("both", "Snapshot and delta"),
                        ],
                        default="both",
                        max_length=12,
                    ),
                ),
                ("nets_committed", models.BooleanField(default=False)),
                ("nets_picked", models.BooleanField(default=False)),
                ("nets_held", models.BooleanField(default=True)),
                (
                    "ordering",
                    models.CharField(
                        choices=[
                            ("sequence", "Sequence numbers"),
                            ("time", "Times"),
                            ("none", "Nothing"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                ("expected_every", models.DurationField(blank=True, null=True)),
                ("silent_after", models.DurationField(blank=True, null=True)),
                (
                    "degrade",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("haircut", "Hold back a share"),
                            ("no_same_day", "No same-day promises"),
                            ("stop", "Sell nothing"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                ("haircut_percent", models.PositiveSmallIntegerField(default=0)),
                ("heal_units", models.PositiveIntegerField(blank=True, null=True)),
                ("heal_percent", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("reconcile_every", models.DurationField(blank=True, null=True)),
                ("begun_at", models.DateTimeField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("fresh", "Fresh"), ("late", "Late"), ("silent", "Silent")],
                        default="fresh",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("state_since", models.DateTimeField(blank=True, null=True)),
                ("as_of", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("sequence", models.BigIntegerField(blank=True, null=True)),
                ("covered_sequence", models.BigIntegerField(blank=True, null=True)),
                ("missing", models.JSONField(blank=True, default=list)),
                ("gap_since", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When a snapshot was asked for that has not come yet.",
                        null=True,
                    ),
                ),
                ("reconciled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "degraded",
                    models.BooleanField(
                        default=False,
                        help_text="Whether its silence is worked into the node's figures.",
                    ),
                ),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "fresh"), _negated=True),
                        fields=["node"],
                        name="feed_not_fresh",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("node", "source", "account"), name="feed_once"),
                    models.CheckConstraint(
                        condition=models.Q(("semantics__in", ["snapshot", "delta", "both"])),
                        name="feed_semantics_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ordering__in", ["sequence", "time", "none"])),
                        name="feed_ordering_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("degrade__in", ["none", "haircut", "no_same_day", "stop"])
                        ),
                        name="feed_degrade_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["fresh", "late", "silent"])),
                        name="feed_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("haircut_percent__lte", 100),
                            models.Q(
                                models.Q(("degrade", "haircut"), _negated=True),
                                ("haircut_percent__gt", 0),
                                _connector="OR",
                            ),
                        ),
                        name="feed_haircut_is_a_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("silent_after", None),
                            ("expected_every", None),
                            ("silent_after__gte", models.F("expected_every")),
                            _connector="OR",
                        ),
                        name="feed_silent_after_it_is_late",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expected_every", None),
                            ("expected_every__gt", datetime.timedelta(0)),
                            _connector="OR",
                        ),
                        name="feed_expected_after_a_while",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalFeed",
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
                ("source", models.CharField(max_length=64)),
                (
                    "semantics",
                    models.CharField(
                        choices=[
                            ("snapshot", "Snapshot"),
                            ("delta", "Delta"),
                            ("both", "Snapshot and delta"),
                        ],
                        default="both",
                        max_length=12,
                    ),
                ),
                ("nets_committed", models.BooleanField(default=False)),
                ("nets_picked", models.BooleanField(default=False)),
                ("nets_held", models.BooleanField(default=True)),
                (
                    "ordering",
                    models.CharField(
                        choices=[
                            ("sequence", "Sequence numbers"),
                            ("time", "Times"),
                            ("none", "Nothing"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                ("expected_every", models.DurationField(blank=True, null=True)),
                ("silent_after", models.DurationField(blank=True, null=True)),
                (
                    "degrade",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("haircut", "Hold back a share"),
                            ("no_same_day", "No same-day promises"),
                            ("stop", "Sell nothing"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                ("haircut_percent", models.PositiveSmallIntegerField(default=0)),
                ("heal_units", models.PositiveIntegerField(blank=True, null=True)),
                ("heal_percent", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("reconcile_every", models.DurationField(blank=True, null=True)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("fresh", "Fresh"), ("late", "Late"), ("silent", "Silent")],
                        default="fresh",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("state_since", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "historical feed",
                "verbose_name_plural": "historical feeds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalfeed",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalfeed",
        ),
        migrations.CreateModel(
            name="SnapshotDocument",
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
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="snapshots",
                        to="inventory.feed",
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("applied", "Applied"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("as_of", models.DateTimeField()),
                ("sequence", models.BigIntegerField(null=True)),
                ("complete", models.BooleanField(default=False)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("units", models.BigIntegerField(default=0)),
                (
                    "unlisted",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Rows added for what a complete snapshot does not list.",
                    ),
                ),
                ("parts", models.PositiveIntegerField(default=0)),
                ("problems_found", models.PositiveIntegerField(default=0)),
                ("cursor", models.PositiveIntegerField(default=0)),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=120)),
                ("closed_at", models.DateTimeField(null=True)),
                ("applied_at", models.DateTimeField(null=True)),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "accepted")),
                        fields=["id"],
                        name="snapshot_to_apply",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "accepted", "applied", "refused", "withdrawn"])
                        ),
                        name="snapshot_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
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
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="inventory.feed",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reconciliations",
                        to="inventory.snapshotdocument",
                    ),
                ),
                ("as_of", models.DateTimeField()),
                ("compared", models.PositiveIntegerField(default=0)),
                ("equal", models.PositiveIntegerField(default=0)),
                ("in_flight", models.PositiveIntegerField(default=0)),
                ("healed", models.PositiveIntegerField(default=0)),
                ("opened", models.PositiveIntegerField(default=0)),
                ("units_up", models.BigIntegerField(default=0)),
                ("units_down", models.BigIntegerField(default=0)),
                ("begun_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["feed", "-begun_at"], name="reconciliation_of_feed")
                ],
            },
        ),
        migrations.CreateModel(
            name="Difference",
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="differences",
                        to="inventory.reconciliation",
                    ),
                ),
                (
                    "position",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.stockposition",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.sku",
                    ),
                ),
                ("condition", models.CharField(max_length=16)),
                ("lot", models.CharField(blank=True, default="", max_length=64)),
                ("ours", models.BigIntegerField()),
                ("theirs", models.BigIntegerField()),
                ("units", models.BigIntegerField()),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("moving", "Moved while it was counted"),
                            ("leaving", "Picked, on its way out"),
                            ("unposted_shipment", "Shipped, but not told"),
                            ("untold_sale", "Sold at the till, but not told"),
                            ("unbooked_receipt", "Received, but not told"),
                            ("counted_twice", "Counted twice"),
                            ("neighbour", "Booked on another SKU"),
                            ("unlisted", "Not on the list"),
                            ("lost", "Lost"),
                            ("found", "Found"),
                        ],
                        max_length=20,
                    ),
                ),
                ("evidence", models.JSONField(default=dict)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("healed", "Healed by rule"),
                            ("in_flight", "In flight"),
                            ("accepted", "Theirs accepted"),
                            ("kept", "Ours kept, count asked"),
                            ("explained", "Explained"),
                            ("superseded", "Superseded"),
                        ],
                        default="open",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("movement_id", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, default="", max_length=120)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("event_seq", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["position"],
                        name="difference_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "open",
                                    "healed",
                                    "in_flight",
                                    "accepted",
                                    "kept",
                                    "explained",
                                    "superseded",
                                ],
                            )
                        ),
                        name="difference_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("units", 0), _negated=True), name="difference_differs"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SnapshotPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inventory.snapshotdocument",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("rows", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("document", "number"), name="snapshot_part_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SnapshotLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "document_id",
                        "row",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inventory.snapshotdocument",
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("sku_id", models.BigIntegerField(null=True)),
                ("owner_id", models.UUIDField(null=True)),
                ("condition", models.CharField(max_length=16)),
                ("lot", models.CharField(max_length=64)),
                ("quantity", models.BigIntegerField()),
                ("listed", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="SnapshotProblem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="problems",
                        to="inventory.snapshotdocument",
                    ),
                ),
                ("row", models.PositiveIntegerField()),
                ("column", models.CharField(max_length=32)),
                ("code", models.CharField(max_length=32)),
                ("detail", models.CharField(max_length=500)),
            ],
        ),
    ]
