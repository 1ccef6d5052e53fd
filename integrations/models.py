"""What came in from outside, as it came; the secrets it is checked with; and imports of files."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from integrations.states import ImportState, InboxState


class InboxMessage(StateModel):
    """One message of a remote party, kept once and first; what became of it stands here.

    `source` says who sent it and how ("shopify:web-us"), `external_id` is the sender's own id of
    the message. The body lies apart, sealed (`InboxBody` of the same id). Unlike the bodies these
    rows are not partitioned, so that their own constraint keeps a message once for ever.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, null=True, related_name="+")
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
    def apply(self, *, order_id: UUID, at: datetime) -> None:
        self.subject_kind, self.subject_id = "order", order_id
        self.thread_id, self.settled_at = order_id, at
        self.code, self.reason = "", ""

    @transition(field=state, source=InboxState.RECEIVED, target=InboxState.IGNORED)
    def ignore(
        self, *, code: str, reason: str, at: datetime, subject_id: UUID | None = None
    ) -> None:
        """It changes nothing, and says why; `subject_id` is the order that it repeats."""
        self.code, self.reason, self.settled_at = code, reason, at
        self.subject_kind = "order" if subject_id else ""
        self.subject_id = self.thread_id = subject_id

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


class CredentialKind(models.TextChoices):
    SHOPIFY_WEBHOOK = "shopify_webhook", "Shopify webhook signing secret"
    WOOCOMMERCE_WEBHOOK = "woocommerce_webhook", "WooCommerce webhook secret"


class ChannelCredential(models.Model):
    """A secret shared with a channel, sealed; it is written and never shown again."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32, choices=CredentialKind)
    key = models.ForeignKey("kernel.SubjectKey", models.PROTECT, related_name="+", editable=False)
    sealed = models.BinaryField(editable=False)
    hint = models.CharField(max_length=8, default="", editable=False)
    changed_at = models.DateTimeField(editable=False)

    history = HistoricalRecords(excluded_fields=["sealed"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "kind"], name="channel_credential_once"),
            models.CheckConstraint(
                condition=Q(kind__in=CredentialKind.values), name="channel_credential_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.channel_id}"


class ImportMode(models.TextChoices):
    LIVE = "live", "Live"
    OPEN = "open", "Open (cutover)"
    HISTORY = "history", "History"


class ImportRun(StateModel):
    """One file for one channel. `position` is the last line whose effect has committed.

    Identified by the hash of the file's bytes: the same file is continued, never taken twice.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+")
    format = models.CharField(max_length=24)
    mode = models.CharField(max_length=8, choices=ImportMode)
    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    state = StateField(max_length=8, choices=ImportState, default=ImportState.RUNNING)
    position = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    actor_id = models.CharField(max_length=64)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "format", "mode", "file_sha256"], name="import_run_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="import_run_state_known"
            ),
            models.CheckConstraint(
                condition=Q(mode__in=ImportMode.values), name="import_run_mode_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.mode})"

    @transition(field=state, source=ImportState.RUNNING, target=ImportState.DONE)
    def finish(self, *, at: datetime) -> None:
        self.finished_at = at

    @transition(field=state, source=ImportState.RUNNING, target=ImportState.STOPPED)
    def stop(self, *, at: datetime) -> None:
        self.finished_at = at

    @transition(
        field=state, source=[ImportState.STOPPED, ImportState.RUNNING], target=ImportState.RUNNING
    )
    def resume(self) -> None:
        """Also from running: the process that ran it was killed."""
        self.finished_at = None


class ImportProblem(models.Model):
    """A line of an imported file that had no effect, or another than it asked for, and why."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="problems")
    line = models.BigIntegerField(help_text="Line of the file; the header is line 1.")
    reference = models.CharField(max_length=120, help_text="The order's external id.")
    bucket = models.CharField(max_length=32)
    code = models.CharField(max_length=48)
    detail = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "line", "code"], name="import_problem_once")
        ]
