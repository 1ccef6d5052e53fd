"""What each channel holds of our orders and stock: what it is to hold, what it was told, what it has."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet


class CopyKind(models.TextChoices):
    ORDER = "order", "The order"
    ACKNOWLEDGEMENT = "acknowledgement", "Acknowledgement"
    FULFILLMENT = "fulfillment", "Fulfillment"
    CANCEL = "cancel", "Cancellation"
    REFUND = "refund", "Refund"
    STOCK = "stock", "Stock figure"


class CopyState(models.TextChoices):
    """waiting → same | refused; refused → same; same ⇄ different | missing; all → waiting; told stays.

    Told is what the channel has told us: its orders, and refunds that were made there.
    """

    WAITING = "waiting", "To be sent"
    SAME = "same", "As it should be"
    REFUSED = "refused", "Refused there"
    DIFFERENT = "different", "Different there"
    MISSING = "missing", "Missing there"
    TOLD = "told", "Told by the channel"


class ChannelCopy(StateModel):
    """One thing of ours as a channel holds it, or is to hold it; or one thing that it told us.

    `our_id` is the order, parcel, event or SKU that it is a copy of; what the channel made has a
    name made of its own id there. `wanted` is what it is to hold (codes, ids and amounts, nothing
    personal) with its hash; `sent_hash` what it was told last. `asked` says that an intent stands
    for what is wanted, `round` counts how often it was sent again. `version` is the channel's own
    time of its last change, by which older news is told apart.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    connection = models.ForeignKey(
        "integrations.Connection", models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=16, choices=CopyKind)
    our_id = models.UUIDField()
    order_id = models.UUIDField(null=True)
    their_id = models.CharField(max_length=64, default="")
    state = StateField(max_length=12, choices=CopyState, default=CopyState.WAITING)
    wanted = models.JSONField(default=dict)
    wanted_hash = models.CharField(max_length=32, default="")
    sent_hash = models.CharField(max_length=32, default="")
    asked = models.BooleanField(default=False)
    round = models.PositiveSmallIntegerField(default=0)
    version = models.CharField(max_length=40, default="")
    failure = models.CharField(max_length=255, default="")
    wanted_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "channel copy"
        verbose_name_plural = "channel copies"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "our_id"], name="channel_copy_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CopyKind.values), name="channel_copy_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=CopyState.values), name="channel_copy_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["order_id", "id"], name="channel_copy_of_order"),
            models.Index(
                F("connection"),
                F("id"),
                name="channel_copy_waiting",
                condition=Q(state=CopyState.WAITING),
            ),
            models.Index(
                F("connection"),
                F("id"),
                name="channel_copy_differs",
                condition=Q(state__in=[CopyState.REFUSED, CopyState.DIFFERENT, CopyState.MISSING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.our_id}"

    @transition(field=state, source=[CopyState.WAITING, CopyState.REFUSED], target=CopyState.SAME)
    def keep(self, *, their_id: str, sent_hash: str, note: str, at: datetime) -> None:
        """The channel has it as it should be; `note` says what it would not take of it."""
        self.their_id, self.sent_hash, self.failure = their_id[:64], sent_hash, note[:255]
        self.sent_at = self.seen_at = at

    @transition(
        field=state, source=[CopyState.WAITING, CopyState.REFUSED], target=CopyState.REFUSED
    )
    def refuse(self, *, why: str) -> None:
        """The channel will not have it."""
        self.failure = why[:255]

    @transition(
        field=state,
        source=[CopyState.SAME, CopyState.DIFFERENT, CopyState.MISSING],
        target=CopyState.SAME,
    )
    def see(self, *, at: datetime) -> None:
        """It was read there, and is as it should be."""
        self.seen_at, self.failure = at, ""

    @transition(
        field=state,
        source=[CopyState.SAME, CopyState.MISSING],
        target=CopyState.DIFFERENT,
    )
    def differ(self, *, why: str, at: datetime) -> None:
        self.seen_at, self.failure = at, why[:255]

    @transition(
        field=state,
        source=[CopyState.SAME, CopyState.DIFFERENT],
        target=CopyState.MISSING,
    )
    def lose(self, *, at: datetime) -> None:
        """It was there, and is not any more."""
        self.seen_at, self.failure = at, "It is not there any more."

    @transition(
        field=state,
        source=[CopyState.REFUSED, CopyState.DIFFERENT, CopyState.MISSING, CopyState.SAME],
        target=CopyState.WAITING,
    )
    def send_again(self) -> None:
        """Somebody, or the reconciliation, has it sent once more."""
        self.round += 1
        self.asked = False
