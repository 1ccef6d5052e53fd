"""Parcels, what lies in them, their labels, and what is heard of them on the way."""

from datetime import datetime
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from fulfillment.models.work import FulfillmentLine, FulfillmentOrder
from fulfillment.querysets import ParcelQuerySet
from fulfillment.states import AT_THE_NODE, FOLLOWED, ON_THE_WAY, TRACKED, ParcelState


def _all_but(target: ParcelState) -> list[ParcelState]:
    return [state for state in TRACKED if state is not target]


class Parcel(StateModel):
    """A closed box with a number of its own. Shipped means handed over, never label printed.

    packed → labelled → manifested → handed_over → (taken back) packed | labelled, as long as no
    carrier has scanned it; then as the news has it::

        in_transit → out_for_delivery ⇄ attempted → at_pickup_point → delivered
        returning → returned; damaged, lost
        voided from packed, labelled and manifested

    Carriers skip steps, and a correction may take any tracked state to any other; which news
    moves it is decided by one fold over all of it (`fulfillment.tracking`).
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'P-' || nextval('fulfillment_parcel_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    fulfillment_order = models.ForeignKey(FulfillmentOrder, models.PROTECT, related_name="parcels")
    external_id = models.CharField(max_length=64, default="", help_text="The node's own number.")
    state = StateField(max_length=20, choices=ParcelState, default=ParcelState.PACKED)
    weight_grams = models.PositiveIntegerField()
    carrier_code = models.CharField(max_length=32, default="")
    tracking_number = models.CharField(max_length=64, default="")
    label_asked = models.PositiveSmallIntegerField(
        default=0, help_text="Labels asked for so far; part of the key that the carrier gets."
    )
    label_pending = models.BooleanField(default=False)
    packed_at = models.DateTimeField()
    labelled_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(null=True, help_text="When the latest news happened.")
    delivered_at = models.DateTimeField(null=True)
    issued_under = models.UUIDField(
        null=True, help_text="Cause of the stock movements by which its units left."
    )
    alarms = ArrayField(
        models.CharField(max_length=32), default=list, help_text="Case kinds raised already."
    )
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["alarms"])
    objects = ParcelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ParcelState.values), name="parcel_state_known"
            ),
            models.UniqueConstraint(
                fields=["fulfillment_order", "external_id"],
                name="parcel_packed_once",
                condition=~Q(external_id=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tracking_number"],
                name="parcel_tracking_number",
                condition=~Q(tracking_number=""),
            ),
            models.Index(
                fields=["last_heard_at"],
                name="parcel_on_the_way",
                condition=Q(state__in=ON_THE_WAY),
            ),
            models.Index(
                fields=["packed_at"],
                name="parcel_at_the_node",
                condition=Q(state__in=AT_THE_NODE),
            ),
            models.Index(
                fields=["carrier_code", "id"],
                name="parcel_followed",
                condition=Q(state__in=FOLLOWED),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(
        field=state,
        source=[ParcelState.PACKED, ParcelState.LABELLED],
        target=ParcelState.LABELLED,
    )
    def label(self, *, carrier_code: str, tracking_number: str, at: datetime) -> None:
        """A label was bought; a second one replaces the first."""
        self.carrier_code, self.tracking_number = carrier_code, tracking_number
        self.labelled_at, self.label_pending = at, False

    def note_label(self, *, carrier_code: str, tracking_number: str, at: datetime) -> None:
        """The label came after the parcel was listed or had left: its number is the parcel's."""
        self.carrier_code, self.tracking_number = carrier_code, tracking_number
        self.labelled_at, self.label_pending = at, False

    @transition(
        field=state,
        source=[ParcelState.PACKED, ParcelState.LABELLED],
        target=ParcelState.MANIFESTED,
    )
    def manifest(self) -> None:
        """It stands on a list that waits for the carrier."""

    @transition(field=state, source=AT_THE_NODE, target=ParcelState.HANDED_OVER)
    def hand_over(self, *, issued_under: UUID, at: datetime) -> None:
        self.handed_over_at = self.last_heard_at = at
        self.issued_under, self.label_pending = issued_under, False

    @transition(field=state, source=ParcelState.HANDED_OVER, target=ParcelState.PACKED)
    def take_back(self) -> None:
        """It never went: it waits at the node again."""
        self.handed_over_at = self.last_heard_at = self.issued_under = None

    @transition(field=state, source=ParcelState.HANDED_OVER, target=ParcelState.LABELLED)
    def take_back_labelled(self) -> None:
        """It never went; its label is good still."""
        self.handed_over_at = self.last_heard_at = self.issued_under = None

    @transition(field=state, source=AT_THE_NODE, target=ParcelState.VOIDED)
    def void(self) -> None:
        """It was opened again before it left."""
        self.label_pending = False

    @transition(field=state, source=_all_but(ParcelState.IN_TRANSIT), target=ParcelState.IN_TRANSIT)
    def travel(self) -> None:
        self.delivered_at = None

    @transition(
        field=state,
        source=_all_but(ParcelState.OUT_FOR_DELIVERY),
        target=ParcelState.OUT_FOR_DELIVERY,
    )
    def go_out(self) -> None:
        self.delivered_at = None

    @transition(field=state, source=_all_but(ParcelState.ATTEMPTED), target=ParcelState.ATTEMPTED)
    def attempt(self) -> None:
        self.delivered_at = None

    @transition(
        field=state,
        source=_all_but(ParcelState.AT_PICKUP_POINT),
        target=ParcelState.AT_PICKUP_POINT,
    )
    def wait_at_pickup_point(self) -> None:
        self.delivered_at = None

    @transition(field=state, source=_all_but(ParcelState.DELIVERED), target=ParcelState.DELIVERED)
    def deliver(self, *, at: datetime) -> None:
        """`at` is when the carrier says it was delivered."""
        self.delivered_at = at

    @transition(field=state, source=_all_but(ParcelState.RETURNING), target=ParcelState.RETURNING)
    def turn_back(self) -> None:
        self.delivered_at = None

    @transition(field=state, source=_all_but(ParcelState.RETURNED), target=ParcelState.RETURNED)
    def come_back(self) -> None:
        self.delivered_at = None

    @transition(field=state, source=_all_but(ParcelState.DAMAGED), target=ParcelState.DAMAGED)
    def damage(self) -> None:
        self.delivered_at = None

    @transition(field=state, source=_all_but(ParcelState.LOST), target=ParcelState.LOST)
    def lose(self) -> None:
        self.delivered_at = None


class ParcelLine(models.Model):
    """Units of one fulfillment line in one parcel.

    `excess` units were packed beyond what the node had been asked for: they have no reservation,
    and count in no quantity of the line.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="lines")
    line = models.ForeignKey(FulfillmentLine, models.PROTECT, related_name="parcel_lines")
    quantity = models.PositiveIntegerField()
    excess = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parcel", "line"], name="parcel_line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | Q(excess__gt=0), name="parcel_line_holds_something"
            ),
        ]


class Label(models.Model):
    """What a carrier answered when a label was bought: the document to print, and its price.

    The document shows a name and an address: it is sealed with the key of the person.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="labels")
    key = models.CharField(max_length=120, unique=True)
    carrier_code = models.CharField(max_length=32)
    tracking_number = models.CharField(max_length=64)
    sealed_with = models.UUIDField(help_text="Key of the person whose address it shows.")
    document = models.BinaryField(help_text="Sealed.")
    media_type = models.CharField(max_length=64)
    cost_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    bought_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["parcel", "-bought_at"], name="label_of_parcel")]


class TrackingEvent(models.Model):
    """One piece of news about a parcel, kept as it came. The parcel's state is folded from all.

    `happened_at` is the teller's time of the fact, `at` when we were told.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="tracking")
    status = models.CharField(max_length=20, choices=ParcelState)
    happened_at = models.DateTimeField()
    correction = models.BooleanField(default=False)
    source = models.CharField(max_length=32)
    external_id = models.CharField(max_length=120)
    place = models.CharField(max_length=120, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=TRACKED), name="tracking_event_status_known"
            ),
        ]
        indexes = [models.Index(fields=["parcel", "happened_at"], name="tracking_of_parcel")]
