"""Goods of one making and single goods: lots, serials, what binds them, and recalls."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.reservations import Reservation
from inventory.models.rules import SkuSelection
from inventory.models.stock import StockLevel, StockPosition
from inventory.states import LotState, RecallState, SerialState


class Recall(StateModel):
    """Lots that must go to nobody any more, and why.

    stopping → stopped → lifted. While it is stopping, what lies anywhere goes to quality hold and
    what is on its way to a buyer is stopped; lifted, its lots may be released from hold.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    state = StateField(max_length=12, choices=RecallState, default=RecallState.STOPPING)
    reason = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    opened_by_name = models.CharField(max_length=120, default="")
    stopped_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=200, blank=True, default="")
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RecallState.values), name="recall_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.reason

    @transition(field=state, source=RecallState.STOPPING, target=RecallState.STOPPED)
    def stop(self, *, at: datetime) -> None:
        """Nothing of its lots is on sale, and whoever has some of it is told to."""
        self.stopped_at = at

    @transition(
        field=state, source=[RecallState.STOPPING, RecallState.STOPPED], target=RecallState.LIFTED
    )
    def lift(self, *, reason: str, at: datetime) -> None:
        """It was wrong, or it is over."""
        self.lift_reason, self.lifted_at = reason, at


class Lot(StateModel):
    """Goods of one SKU and one making. It is made when it is first seen; only an active one sells.

    active ⇄ held; active and held → recalled → held (lifted); active and held → expired, which a
    corrected date takes back. What lies of a lot that is not active lies in quality hold.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="lots", db_index=False)
    code = models.CharField(max_length=64)
    expires_on = models.DateField(null=True, blank=True)
    made_on = models.DateField(null=True, blank=True)
    state = StateField(max_length=12, choices=LotState, default=LotState.ACTIVE)
    state_reason = models.CharField(max_length=200, blank=True, default="")
    recall = models.ForeignKey(Recall, models.PROTECT, null=True, blank=True, related_name="lots")
    first_seen_at = models.DateTimeField()
    unsettled = models.BooleanField(
        default=False, help_text="Its units are still being moved to where its state wants them."
    )
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq", "unsettled"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sku", "code"], name="lot_once"),
            models.CheckConstraint(condition=Q(state__in=LotState.values), name="lot_state_known"),
            models.CheckConstraint(condition=~Q(code=""), name="lot_has_a_code"),
        ]
        indexes = [
            models.Index(
                fields=["expires_on"],
                name="lot_to_expire",
                condition=Q(state__in=[LotState.ACTIVE, LotState.HELD]),
            ),
            models.Index(fields=["account", "code"], name="lot_by_code"),
            models.Index(fields=["id"], name="lot_unsettled", condition=Q(unsettled=True)),
        ]

    def __str__(self) -> str:
        return self.code

    @transition(field=state, source=LotState.ACTIVE, target=LotState.HELD)
    def hold(self, *, reason: str) -> None:
        """Nothing of it is sold until somebody has looked at it."""
        self.state_reason, self.unsettled = reason, True

    @transition(field=state, source=LotState.HELD, target=LotState.ACTIVE)
    def release(self, *, reason: str) -> None:
        """It may be sold again."""
        self.state_reason, self.unsettled = reason, True

    @transition(field=state, source=[LotState.ACTIVE, LotState.HELD], target=LotState.RECALLED)
    def call_back(self, *, recall_id: UUID, reason: str) -> None:
        """It must go to nobody, and come back from those who have it."""
        self.recall_id, self.state_reason, self.unsettled = recall_id, reason, True

    @transition(field=state, source=LotState.RECALLED, target=LotState.HELD)
    def lift(self, *, reason: str) -> None:
        """The recall was wrong or is over: it lies on hold until it is released."""
        self.state_reason = reason

    @transition(field=state, source=[LotState.ACTIVE, LotState.HELD], target=LotState.EXPIRED)
    def expire(self) -> None:
        """Its date has come."""
        self.state_reason, self.unsettled = "", True

    @transition(field=state, source=LotState.EXPIRED, target=LotState.HELD)
    def correct(self) -> None:
        """Its date was wrong: it lies on hold until it is released."""


class Serial(StateModel):
    """One single thing of a SKU. Where it lies, where it went; its history is its whole way."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="serials", db_index=False)
    number = models.CharField(max_length=64)
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="serials")
    position = models.ForeignKey(
        StockPosition, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    state = StateField(max_length=12, choices=SerialState, default=SerialState.IN_STOCK)
    cause_kind = models.CharField(max_length=32, blank=True, default="")
    cause_id = models.UUIDField(null=True, blank=True)
    seen_at = models.DateTimeField()

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sku", "number"], name="serial_once"),
            models.CheckConstraint(
                condition=Q(state__in=SerialState.values), name="serial_state_known"
            ),
        ]
        indexes = [models.Index(fields=["account", "number"], name="serial_by_number")]

    def __str__(self) -> str:
        return self.number

    @transition(
        field=state,
        source=[
            SerialState.IN_STOCK,
            SerialState.PICKED,
            SerialState.SHIPPED,
            SerialState.RETURNED,
            SerialState.SCRAPPED,
        ],
        target=SerialState.IN_STOCK,
    )
    def store(self) -> None:
        """It lies at a node, on sale or not."""

    @transition(
        field=state, source=[SerialState.IN_STOCK, SerialState.RETURNED], target=SerialState.PICKED
    )
    def pick(self) -> None:
        """It left the shelf for somebody."""

    @transition(
        field=state,
        source=[SerialState.IN_STOCK, SerialState.PICKED, SerialState.RETURNED],
        target=SerialState.SHIPPED,
    )
    def ship(self) -> None:
        """It left the node."""

    @transition(field=state, source=SerialState.SHIPPED, target=SerialState.RETURNED)
    def come_back(self) -> None:
        """A buyer sent it back."""

    @transition(
        field=state,
        source=[SerialState.IN_STOCK, SerialState.PICKED, SerialState.RETURNED],
        target=SerialState.SCRAPPED,
    )
    def scrap(self) -> None:
        """It was destroyed."""


class Allocation(models.Model):
    """Units of a reservation that are bound to the lot of a level: others do not get them.

    Without a level the lot was lost (recalled, expired, gone): the units want another one.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    reservation = models.ForeignKey(
        Reservation, models.CASCADE, related_name="allocations", db_constraint=False
    )
    level = models.ForeignKey(StockLevel, models.PROTECT, null=True, related_name="allocations")
    units = models.BigIntegerField()
    min_expiry = models.DateField(help_text="It must not expire before this day.")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reservation", "level"],
                name="allocation_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(units__gt=0), name="allocation_some"),
        ]
        indexes = [
            models.Index(fields=["id"], name="allocation_lost", condition=Q(level=None)),
        ]


class ChannelLife(SkuSelection):
    """So many days a channel's buyers must be left before what they get expires.

    Of several that match a SKU the longest counts.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+")
    days = models.PositiveIntegerField()

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "minimum remaining life"
        verbose_name_plural = "minimum remaining lives"

    def __str__(self) -> str:
        return f"{self.days} days"
