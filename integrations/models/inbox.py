"""What came in from outside, as it came, and what became of it."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from integrations.states import InboxState


class InboxMessage(StateModel):
    """One message of a remote party, kept once and first; what became of it stands here.

    `source` names adapter and connection ("shopify:web-us"), `external_id` is the sender's own id
    of the message. The body lies apart, sealed (`InboxBody` of the same id). Unlike the bodies these
    rows are not partitioned, so that their own constraint keeps a message once for ever.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, null=True, related_name="+")
    connection = models.ForeignKey(
        "integrations.Connection", models.PROTECT, null=True, related_name="+"
    )
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=48, help_text="The sender's topic, such as orders/create.")
    state = StateField(max_length=8, choices=InboxState, default=InboxState.RECEIVED)
    code = models.CharField(max_length=48, default="")
    reason = models.TextField(default="")
    attempts = models.SmallIntegerField(default=0)
    subject_kind = models.CharField(max_length=32, default="")
    subject_id = models.UUIDField(null=True)
    thread_id = models.UUIDField(null=True)
    received_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source", "external_id"], name="inbox_message_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=InboxState.values), name="inbox_state_known"
            ),
        ]
        indexes = [
            models.Index(F("id"), name="inbox_open", condition=Q(state=InboxState.RECEIVED)),
            models.Index(fields=["account", "-id"], name="inbox_recent"),
            models.Index(fields=["thread_id"], name="inbox_thread"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}"

    @transition(field=state, source=InboxState.RECEIVED, target=InboxState.APPLIED)
    def apply(
        self, *, subject_kind: str, subject_id: UUID, thread_id: UUID | None, at: datetime
    ) -> None:
        self.subject_kind, self.subject_id = subject_kind, subject_id
        self.thread_id, self.settled_at = thread_id, at
        self.code, self.reason = "", ""

    @transition(field=state, source=InboxState.RECEIVED, target=InboxState.IGNORED)
    def ignore(
        self,
        *,
        code: str,
        reason: str,
        at: datetime,
        subject_kind: str = "",
        subject_id: UUID | None = None,
        thread_id: UUID | None = None,
    ) -> None:
        """It changes nothing, and says why; the subject is what it repeats or comes too late for."""
        self.code, self.reason, self.settled_at = code, reason, at
        self.subject_kind, self.subject_id, self.thread_id = subject_kind, subject_id, thread_id

    @transition(field=state, source=InboxState.RECEIVED, target=InboxState.DEAD)
    def bury(self, *, code: str, reason: str, at: datetime) -> None:
        self.code, self.reason, self.settled_at = code, reason, at

    @transition(
        field=state, source=[InboxState.IGNORED, InboxState.DEAD], target=InboxState.RECEIVED
    )
    def receive_again(self) -> None:
        """Someone has asked for another try."""
        self.settled_at = None


class InboxBody(models.Model):
    """The bytes of one message as they came, with their headers, sealed under their own key.

    Append-only and partitioned by month; erasure destroys the key (`SubjectKey`), not the row.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    key_id = models.UUIDField()
    sealed = models.BinaryField()
