"""Snapshots as documents, and what comparing them with the book came to."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from inventory.models.feeds import Feed
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.models.stock import StockPosition
from inventory.states import DifferenceCause, DifferenceState, SnapshotState


class SnapshotDocument(StateModel):
    """A snapshot that comes in parts: open → accepted → applied; open → refused | withdrawn.

    Until it is closed nothing of it counts; once accepted it is applied to its end, `cursor` being
    the last row that is. `complete`: what it does not list is not there.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="+")
    feed = models.ForeignKey(Feed, models.PROTECT, related_name="snapshots")
    state = StateField(max_length=12, choices=SnapshotState, default=SnapshotState.OPEN)
    as_of = models.DateTimeField()
    sequence = models.BigIntegerField(null=True)
    complete = models.BooleanField(default=False)
    rows = models.PositiveIntegerField(default=0)
    units = models.BigIntegerField(default=0)
    unlisted = models.PositiveIntegerField(
        default=0, help_text="Rows added for what a complete snapshot does not list."
    )
    parts = models.PositiveIntegerField(default=0)
    problems_found = models.PositiveIntegerField(default=0)
    cursor = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=120)
    closed_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    event_seq = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SnapshotState.values), name="snapshot_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="snapshot_to_apply", condition=Q(state=SnapshotState.ACCEPTED)
            )
        ]

    def __str__(self) -> str:
        return f"{self.feed_id} as of {self.as_of}"

    @transition(field=state, source=SnapshotState.OPEN, target=SnapshotState.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        """Every row of it holds: it is applied to its end."""
        self.closed_at = at

    @transition(field=state, source=SnapshotState.OPEN, target=SnapshotState.REFUSED)
    def refuse(self, *, at: datetime) -> None:
        """Some of it does not hold: nothing of it is applied."""
        self.closed_at = at

    @transition(field=state, source=SnapshotState.OPEN, target=SnapshotState.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        """Its sender has given it up, or never finished it."""
        self.closed_at = at

    @transition(field=state, source=SnapshotState.ACCEPTED, target=SnapshotState.APPLIED)
    def finish(self, *, at: datetime) -> None:
        """Its last row is in the book."""
        self.applied_at = at


class SnapshotPart(models.Model):
    """A part of a snapshot that has come; the same part sent again is known by its digest."""

    document = models.ForeignKey(SnapshotDocument, models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="snapshot_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.number}"


class SnapshotLine(models.Model):
    """A staged row of a snapshot; gone once the snapshot has been applied or refused."""

    pk = models.CompositePrimaryKey("document_id", "row")
    document = models.ForeignKey(
        SnapshotDocument, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    row = models.PositiveIntegerField()
    sku_id = models.BigIntegerField(null=True)
    owner_id = models.UUIDField(null=True)
    condition = models.CharField(max_length=16)
    lot = models.CharField(max_length=64)
    quantity = models.BigIntegerField()
    listed = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.document_id} {self.row}"


class SnapshotProblem(models.Model):
    """Why a snapshot was refused: one thing that is wrong with one row (0: with the whole)."""

    document = models.ForeignKey(SnapshotDocument, models.CASCADE, related_name="problems")
    row = models.PositiveIntegerField()
    column = models.CharField(max_length=32)
    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=500)

    def __str__(self) -> str:
        return f"{self.row} {self.column} {self.code}"


class Reconciliation(models.Model):
    """One comparison of a feed's figures with the book, line by line.

    `compared = equal + in_flight + healed + opened`. `ended_at` is null while it runs.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="+")
    feed = models.ForeignKey(Feed, models.PROTECT, related_name="runs")
    document = models.ForeignKey(
        SnapshotDocument, models.PROTECT, null=True, related_name="reconciliations"
    )
    as_of = models.DateTimeField()
    compared = models.PositiveIntegerField(default=0)
    equal = models.PositiveIntegerField(default=0)
    in_flight = models.PositiveIntegerField(default=0)
    healed = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    units_up = models.BigIntegerField(default=0)
    units_down = models.BigIntegerField(default=0)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["feed", "-begun_at"], name="reconciliation_of_feed")]

    def __str__(self) -> str:
        return f"{self.feed_id} as of {self.as_of}"


class Difference(StateModel):
    """A line at which feed and book differ: open → accepted | kept | explained | superseded.

    `ours` and `theirs` are units as of the run's time, what moved since being taken into account;
    `theirs − ours = units`. A healed one is in the book already; one in flight settles by itself.
    """

    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    run = models.ForeignKey(Reconciliation, models.PROTECT, related_name="differences")
    position = models.ForeignKey(
        StockPosition, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    sku = models.ForeignKey(
        Sku, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    condition = models.CharField(max_length=16)
    lot = models.CharField(max_length=64, default="", blank=True)
    ours = models.BigIntegerField()
    theirs = models.BigIntegerField()
    units = models.BigIntegerField()
    cause = models.CharField(max_length=20, choices=DifferenceCause)
    evidence = models.JSONField(default=dict)
    state = StateField(max_length=12, choices=DifferenceState, default=DifferenceState.OPEN)
    movement_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=120, default="", blank=True)
    note = models.CharField(max_length=500, default="", blank=True)
    event_seq = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DifferenceState.values), name="difference_state_known"
            ),
            models.CheckConstraint(condition=~Q(units=0), name="difference_differs"),
        ]
        indexes = [
            models.Index(
                fields=["position"],
                name="difference_open",
                condition=Q(state=DifferenceState.OPEN),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position_id} {self.units:+d}"

    @transition(field=state, source=DifferenceState.OPEN, target=DifferenceState.ACCEPTED)
    def accept_theirs(self, *, movement_id: UUID | None, at: datetime, by: str) -> None:
        """The book follows the node's figure."""
        self.movement_id, self.decided_at, self.decided_by = movement_id, at, by

    @transition(field=state, source=DifferenceState.OPEN, target=DifferenceState.KEPT)
    def keep_ours(self, *, at: datetime, by: str) -> None:
        """The book stands, and the node is asked to count."""
        self.decided_at, self.decided_by = at, by

    @transition(field=state, source=DifferenceState.OPEN, target=DifferenceState.EXPLAINED)
    def explain(self, *, movement_id: UUID | None, note: str, at: datetime, by: str) -> None:
        """A movement, or what is known besides, says why they differ."""
        self.movement_id, self.note = movement_id, note
        self.decided_at, self.decided_by = at, by

    @transition(field=state, source=DifferenceState.OPEN, target=DifferenceState.SUPERSEDED)
    def supersede(self, *, at: datetime) -> None:
        """A later figure of the same line has come."""
        self.decided_at = at
