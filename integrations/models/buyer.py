"""What is written to buyers: the voice of each brand, and every message, once per fact."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet


class MessageKind(models.TextChoices):
    RECEIVED = "received", "Order received"
    SHIPPED = "shipped", "Parcel shipped"
    DELAYED = "delayed", "Delayed"
    READY = "ready", "Ready for pickup"
    DELIVERED = "delivered", "Parcel delivered"
    CANCELLED = "cancelled", "Items cancelled"
    REFUNDED = "refunded", "Refunded"
    PAYMENT = "payment", "Payment asked for"
    CHOICE = "choice", "Pickup to be chosen anew"


class MessageState(models.TextChoices):
    """waiting → sent | unconfirmed | failed | silent; failed and silent → waiting by hand."""

    WAITING = "waiting", "Waiting to be sent"
    SENT = "sent", "Sent"
    UNCONFIRMED = "unconfirmed", "Perhaps sent"
    FAILED = "failed", "Not sent"
    SILENT = "silent", "Nobody to write to"


class BrandVoice(models.Model):
    """How a brand writes to its buyers, and where they find help. A brand without one has defaults.

    `language` overrides what the order says; `template` names a folder under
    templates/buyer/brands whose texts stand before the common ones.
    """

    brand = models.OneToOneField(
        "kernel.Brand", models.PROTECT, primary_key=True, related_name="+", verbose_name="brand"
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    display_name = models.CharField(max_length=80, blank=True, default="")
    from_address = models.EmailField(blank=True, default="")
    reply_to = models.EmailField(blank=True, default="")
    language = models.CharField(max_length=5, blank=True, default="")
    template = models.SlugField(max_length=32, blank=True, default="", db_index=False)
    color = models.CharField(
        max_length=7, blank=True, default="", help_text="Of buttons, as #rrggbb."
    )
    help_email = models.EmailField(blank=True, default="")
    help_phone = models.CharField(max_length=32, blank=True, default="")
    help_url = models.URLField(max_length=255, blank=True, default="")
    imprint = models.TextField(blank=True, default="", help_text="Stands below every message.")

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "brand voice"
        constraints = [
            models.CheckConstraint(
                condition=Q(color="") | Q(color__regex=r"^#[0-9a-fA-F]{6}$"),
                name="voice_color_is_hex",
            )
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.brand_id)


class BuyerMessage(StateModel):
    """One message to the buyer of an order about one fact, with its text as it went out.

    `fact` names what it is about (a parcel, a promise, a refund): kind and fact are told once, for
    ever. Address, subject and text are sealed with the key of the person; erasure destroys it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    brand = models.ForeignKey("kernel.Brand", models.PROTECT, related_name="+")
    order_id = models.UUIDField()
    kind = models.CharField(max_length=12, choices=MessageKind)
    fact = models.CharField(max_length=80)
    event_id = models.UUIDField()
    language = models.CharField(max_length=5)
    template = models.CharField(max_length=120)
    state = StateField(max_length=12, choices=MessageState, default=MessageState.WAITING)
    reason = models.CharField(max_length=200, default="")
    rounds = models.PositiveSmallIntegerField(default=1)
    sealed_with = models.UUIDField(null=True, help_text="Key of the person it is written to.")
    sealed = models.BinaryField(default=b"")
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "message to the buyer"
        constraints = [
            models.UniqueConstraint(fields=["kind", "fact"], name="buyer_message_once"),
            models.CheckConstraint(
                condition=Q(kind__in=MessageKind.values), name="buyer_message_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="buyer_message_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["order_id", "id"], name="buyer_message_order"),
            models.Index(fields=["account", "-id"], name="buyer_message_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.fact}"

    @transition(
        field=state,
        source=[MessageState.WAITING, MessageState.UNCONFIRMED],
        target=MessageState.SENT,
    )
    def confirm(self, *, at: datetime) -> None:
        """The mail server has taken it."""
        self.settled_at, self.reason = at, ""

    @transition(field=state, source=MessageState.WAITING, target=MessageState.UNCONFIRMED)
    def lose_sight(self, *, reason: str, at: datetime) -> None:
        """It may have gone out, and nobody can say: it is not sent a second time."""
        self.settled_at, self.reason = at, reason

    @transition(field=state, source=MessageState.WAITING, target=MessageState.FAILED)
    def fail(self, *, reason: str, at: datetime) -> None:
        self.settled_at, self.reason = at, reason

    @transition(field=state, source=MessageState.WAITING, target=MessageState.SILENT)
    def stay_silent(self, *, reason: str, at: datetime) -> None:
        """The person was erased before it went out."""
        self.settled_at, self.reason = at, reason

    @transition(
        field=state,
        source=[MessageState.FAILED, MessageState.UNCONFIRMED],
        target=MessageState.WAITING,
    )
    def send_again(self) -> None:
        """A person has asked for it."""
        self.rounds += 1
        self.settled_at, self.reason = None, ""
