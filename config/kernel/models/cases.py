"""Cases: exceptions as work, opened from reports that any app inserts."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet


class CaseReport(models.Model):
    """Something looked wrong, said in the transaction that saw it. The folder makes cases of these."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    kind = models.CharField(max_length=48)
    dedupe_key = models.CharField(max_length=160)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    account_id = models.UUIDField()
    cause = models.CharField(max_length=160, default="")
    evidence = models.JSONField(default=dict)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))
    folded = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(F("id"), name="case_report_open", condition=Q(folded=False))]


class CaseState(models.TextChoices):
    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    IN_PROGRESS = "in_progress", "In progress"
    WAITING = "waiting", "Waiting"
    RESOLVED = "resolved", "Resolved"
    AUTO_RESOLVED = "auto_resolved", "Cleared by itself"


OPEN_STATES = [
    CaseState.OPEN,
    CaseState.ACKNOWLEDGED,
    CaseState.IN_PROGRESS,
    CaseState.WAITING,
]


class Case(StateModel):
    """One thing that needs a person.

    open → acknowledged → in_progress ⇄ waiting → resolved; auto_resolved when the detector
    clears; a resolved case is reopened by hand, a repeat of the cause opens a new one. What was
    taken up by mistake is put back.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.BigIntegerField(
        unique=True, db_default=RawSQL("nextval('kernel_case_number')", ())
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=48)
    dedupe_key = models.CharField(max_length=160)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    severity = models.SmallIntegerField(help_text="1 stops orders today, 4 can wait.")
    owner_team = models.CharField(max_length=32)
    assignee = models.ForeignKey(
        "kernel.User", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = StateField(max_length=16, choices=CaseState, default=CaseState.OPEN)
    cause = models.CharField(max_length=160, default="")
    evidence = models.JSONField(default=dict)
    occurrences = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    due_at = models.DateTimeField()
    waiting_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.TextField(default="", blank=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=CaseState.values), name="case_state_known"
            ),
            models.UniqueConstraint(
                fields=["account", "dedupe_key"],
                condition=Q(state__in=OPEN_STATES),
                name="case_open_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "severity", "due_at"],
                name="case_queue",
                condition=Q(state__in=OPEN_STATES),
            ),
            models.Index(fields=["thread_id"], name="case_thread"),
            models.Index(fields=["subject_id"], name="case_subject"),
        ]

    def __str__(self) -> str:
        return f"Case {self.number}"

    @transition(field=state, source=CaseState.OPEN, target=CaseState.ACKNOWLEDGED)
    def acknowledge(self) -> None:
        """Someone has seen it."""

    @transition(
        field=state,
        source=[CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.WAITING],
        target=CaseState.IN_PROGRESS,
    )
    def take_up(self) -> None:
        self.waiting_until = None

    @transition(
        field=state,
        source=[CaseState.OPEN, CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS],
        target=CaseState.WAITING,
    )
    def wait(self, *, until: datetime) -> None:
        self.waiting_until = until

    @transition(
        field=state,
        source=[CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS, CaseState.WAITING],
        target=CaseState.OPEN,
    )
    def put_back(self) -> None:
        """As if nobody had seen it."""
        self.waiting_until = None

    @transition(field=state, source=OPEN_STATES, target=CaseState.RESOLVED)
    def resolve(self, *, resolution: str, at: datetime) -> None:
        self.resolution, self.resolved_at = resolution, at

    @transition(field=state, source=OPEN_STATES, target=CaseState.AUTO_RESOLVED)
    def clear(self, *, evidence: str, at: datetime) -> None:
        """The detector no longer sees it."""
        self.resolution, self.resolved_at = evidence, at

    @transition(
        field=state,
        source=[CaseState.RESOLVED, CaseState.AUTO_RESOLVED],
        target=CaseState.OPEN,
    )
    def reopen(self) -> None:
        self.resolution, self.resolved_at = "", None
