"""Work as rows: jobs, leases, intents to talk to the outside, and keys that happen once."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet


class BusinessClock(models.Model):
    """An offset and speed of business time for the demo and simulations; absent in production."""

    singleton = models.BooleanField(primary_key=True, default=True)
    wall_anchor = models.DateTimeField()
    business_anchor = models.DateTimeField()
    speed = models.FloatField(default=1.0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="one_clock")]


class Lease(models.Model):
    """The right to do one named piece of work until `expires_at`, by the database's clock.

    `token` rises with each holder: a write that names an older token is refused (fencing).
    """

    name = models.CharField(max_length=120, primary_key=True)
    holder = models.CharField(max_length=120)
    token = models.BigIntegerField(default=1)
    expires_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)


class IntentState(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    UNKNOWN = "unknown", "Outcome unknown"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    DEAD = "dead", "Dead"


class Intent(StateModel):
    """Something to ask of the outside world, written by a command and carried out by a task.

    pending → running → done | refused | unknown; unknown is reconciled before it is tried again;
    a transient failure goes back to pending with a later `due_at`; 75 hours of them are dead.
    Dead and refused ones are revived as unknown; pending and dead ones may be withdrawn (refused).
    Those of one `queue` are carried out one after another, by id; a dead one stops its queue. What
    waits `behind` another is not looked at until the first of its queue has ended.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=48)
    key = models.CharField(max_length=120, help_text="Sent outside as the idempotency key.")
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    payload = models.JSONField(default=dict)
    queue = models.CharField(
        max_length=160,
        default="",
        db_default="",
        help_text="Those of one queue are asked one after another.",
    )
    behind = models.BooleanField(
        default=False, db_default=False, help_text="Another of its queue comes first."
    )
    state = StateField(max_length=8, choices=IntentState, default=IntentState.PENDING)
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))
    lease_until = models.DateTimeField(null=True)
    first_tried_at = models.DateTimeField(null=True)
    answer = models.JSONField(default=dict)
    last_error = models.TextField(default="")
    actor_id = models.CharField(max_length=64)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="intent_once"),
            models.CheckConstraint(
                condition=Q(state__in=IntentState.values), name="intent_state_known"
            ),
        ]
        indexes = [
            models.Index(
                F("due_at"),
                name="intent_due",
                condition=Q(state__in=["pending", "running", "unknown"], behind=False),
            ),
            models.Index(fields=["subject_id"], name="intent_subject"),
            models.Index(
                fields=["queue", "id"],
                name="intent_queue",
                condition=Q(state__in=["pending", "running", "unknown", "dead"]) & ~Q(queue=""),
            ),
        ]

    @transition(
        field=state,
        source=[IntentState.PENDING, IntentState.RUNNING, IntentState.UNKNOWN],
        target=IntentState.RUNNING,
    )
    def start(self) -> None:
        """A task has leased it; a lapsed lease is taken over."""
        self.attempts += 1

    @transition(field=state, source=IntentState.RUNNING, target=IntentState.PENDING)
    def put_back(self, *, error: str) -> None:
        self.last_error = error

    @transition(field=state, source=IntentState.RUNNING, target=IntentState.UNKNOWN)
    def lose_sight(self, *, error: str) -> None:
        """The call may have had its effect: ask before trying again."""
        self.last_error = error

    @transition(field=state, source=IntentState.RUNNING, target=IntentState.DONE)
    def complete(self, *, answer: dict[str, object]) -> None:
        self.answer = answer

    @transition(field=state, source=IntentState.RUNNING, target=IntentState.REFUSED)
    def refuse(self, *, answer: dict[str, object], error: str) -> None:
        self.answer, self.last_error = answer, error

    @transition(field=state, source=IntentState.RUNNING, target=IntentState.DEAD)
    def bury(self, *, error: str) -> None:
        self.last_error = error

    @transition(
        field=state, source=[IntentState.DEAD, IntentState.REFUSED], target=IntentState.UNKNOWN
    )
    def revive(self) -> None:
        """Someone has asked for another try; what became of the earlier ones is asked first."""
        self.attempts = 0

    @transition(
        field=state, source=[IntentState.PENDING, IntentState.DEAD], target=IntentState.REFUSED
    )
    def withdraw(self, *, error: str) -> None:
        """Nobody was asked yet, or it was given up; it is settled otherwise."""
        self.last_error = error


class JobState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    PARTIAL = "partial", "Done, some refused"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Job(StateModel):
    """A long action: a row with progress, a result per item and a way to stop it.

    queued → running → done | partial | failed; queued and running → cancelled.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=48)
    title = models.CharField(max_length=200)
    params = models.JSONField(default=dict)
    state = StateField(max_length=12, choices=JobState, default=JobState.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    at = models.DateTimeField()
    queued_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))
    started_at = models.DateTimeField(null=True)
    progressed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.TextField(default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_known")
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="job_recent"),
            models.Index(
                F("queued_at"), name="job_open", condition=Q(state__in=["queued", "running"])
            ),
        ]

    @transition(field=state, source=[JobState.QUEUED, JobState.RUNNING], target=JobState.RUNNING)
    def start(self) -> None:
        self.attempts += 1

    @transition(field=state, source=JobState.RUNNING, target=JobState.DONE)
    def finish(self) -> None:
        """Every item was done."""

    @transition(field=state, source=JobState.RUNNING, target=JobState.PARTIAL)
    def finish_in_part(self) -> None:
        """Some items were refused; each says why."""

    @transition(field=state, source=[JobState.QUEUED, JobState.RUNNING], target=JobState.FAILED)
    def fail(self, *, error: str) -> None:
        self.last_error = error

    @transition(field=state, source=[JobState.QUEUED, JobState.RUNNING], target=JobState.CANCELLED)
    def cancel(self) -> None:
        """What was done stays done."""


class JobItem(models.Model):
    """One subject of a job, in the order given, and how it ended."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    subject_id = models.UUIDField()
    outcome = models.CharField(max_length=12, default="waiting")
    code = models.CharField(max_length=48, default="")
    detail = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="job_item_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["waiting", "done", "repeated", "refused"]),
                name="job_item_outcome_known",
            ),
        ]


class IdempotencyKey(models.Model):
    """One unsafe API call: its fingerprint, and its answer once the effect has committed.

    While `status` is null the call is in flight until `lease_until`; `token` fences a caller that
    was overtaken. Kept seven days. An answer of 5xx is never stored.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    credential_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    token = models.BigIntegerField(default=1)
    status = models.SmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    content_type = models.CharField(max_length=64, default="")
    subject_ids = ArrayField(models.UUIDField(), default=list)
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["credential_id", "key"], name="idempotency_key_once")
        ]
        indexes = [models.Index(fields=["recorded_at"], name="idempotency_key_age")]


class ExternalKey(models.Model):
    """What must be unique across months: (scope, source, external id), for ever."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=32)
    source = models.CharField(max_length=64)
    external_id = models.CharField(max_length=255)
    subject_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "source", "external_id"], name="external_key_once"
            )
        ]


class SubjectKey(models.Model):
    """The data key of one person, wrapped by the vault key. Destroying it is erasure."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    wrapped = models.BinaryField(null=True)
    erased_at = models.DateTimeField(null=True)


class ReferenceVersion(models.Model):
    """The version of one topic of reference values; raised by whoever writes them.

    Processes cache networks, policies and rates under it and read it once per command.
    """

    topic = models.CharField(max_length=32, primary_key=True)
    version = models.BigIntegerField(default=1)
