"""Webhooks that we send: who wants to hear what, what each was sent, and how every try ended."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet


class EndpointState(models.TextChoices):
    """enabled ⇄ disabled; both → removed."""

    ENABLED = "enabled", "Enabled"
    DISABLED = "disabled", "Disabled"
    REMOVED = "removed", "Removed"


class WebhookState(models.TextChoices):
    """waiting → delivered | failed | kept; delivered, failed and kept → waiting by replay."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    KEPT = "kept", "Kept while the endpoint is disabled"


class WebhookEndpoint(StateModel):
    """An address that wants to hear of an account's events, with the secrets that sign them.

    `topics` are names or patterns (`order.*`, `*`). With `channel_ids` it hears of orders of these
    channels alone, without them of the whole account. `sealed` holds the secrets, the newest first; an
    old one signs too until its time is over. `failing_since` is machine time: the first failure
    after the last success.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    topics = ArrayField(models.CharField(max_length=48), default=list)
    channel_ids = ArrayField(models.UUIDField(), default=list)
    state = StateField(max_length=8, choices=EndpointState, default=EndpointState.ENABLED)
    reason = models.CharField(max_length=200, default="", editable=False)
    key = models.ForeignKey("kernel.SubjectKey", models.PROTECT, related_name="+", editable=False)
    sealed = models.BinaryField(editable=False)
    hint = models.CharField(max_length=8, default="", editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    last_delivered_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    changed_at = models.DateTimeField(editable=False)

    history = HistoricalRecords(excluded_fields=["sealed", "failing_since", "last_delivered_at"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook endpoint"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=EndpointState.values), name="webhook_endpoint_state_known"
            )
        ]
        indexes = [models.Index(fields=["account", "-id"], name="webhook_endpoint_recent")]

    def __str__(self) -> str:
        return self.name

    @transition(field=state, source=EndpointState.DISABLED, target=EndpointState.ENABLED)
    def enable(self) -> None:
        """It hears again of what happens from now on; what was kept is replayed on demand."""
        self.reason, self.failing_since = "", None

    @transition(field=state, source=EndpointState.ENABLED, target=EndpointState.DISABLED)
    def disable(self, *, reason: str) -> None:
        """Nothing is sent; what it would have heard is kept."""
        self.reason = reason

    @transition(
        field=state,
        source=[EndpointState.ENABLED, EndpointState.DISABLED],
        target=EndpointState.REMOVED,
    )
    def remove(self) -> None:
        """It hears of nothing more; its log stays."""


class WebhookDelivery(StateModel):
    """One event for one endpoint. The receiver knows it by the event's id, in every repeat."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.PROTECT, related_name="deliveries", db_index=False
    )
    event_id = models.UUIDField()
    topic = models.CharField(max_length=48)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    payload = models.JSONField()
    state = StateField(max_length=9, choices=WebhookState, default=WebhookState.WAITING)
    reason = models.CharField(max_length=200, default="")
    attempts = models.PositiveIntegerField(default=0)
    rounds = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook delivery"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_once"),
            models.CheckConstraint(
                condition=Q(state__in=WebhookState.values), name="webhook_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_recent"),
            models.Index(fields=["thread_id"], name="webhook_thread"),
            models.Index(
                F("endpoint"),
                F("id"),
                name="webhook_not_delivered",
                condition=~Q(state=WebhookState.DELIVERED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.event_id}"

    @transition(field=state, source=WebhookState.WAITING, target=WebhookState.DELIVERED)
    def deliver(self) -> None:
        """The endpoint has answered 2xx."""

    @transition(field=state, source=WebhookState.WAITING, target=WebhookState.FAILED)
    def fail(self, *, reason: str) -> None:
        self.reason = reason

    @transition(field=state, source=WebhookState.WAITING, target=WebhookState.KEPT)
    def keep(self) -> None:
        """The endpoint was disabled before it was sent."""

    @transition(
        field=state,
        source=[WebhookState.DELIVERED, WebhookState.FAILED, WebhookState.KEPT],
        target=WebhookState.WAITING,
    )
    def replay(self) -> None:
        self.rounds += 1
        self.reason, self.settled_at = "", None


class WebhookAttempt(models.Model):
    """One try: what was sent, what came back, cut short and without secrets. Never changed."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    delivery = models.ForeignKey(WebhookDelivery, models.PROTECT, related_name="tries")
    number = models.PositiveIntegerField()
    round = models.PositiveSmallIntegerField(default=1)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, default="")
    request_headers = models.JSONField(default=dict)
    response_headers = models.JSONField(default=dict)
    response_body = models.CharField(max_length=1_000, default="")
    milliseconds = models.PositiveIntegerField(default=0)
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    class Meta:
        verbose_name = "webhook attempt"
