"""Imports of files: a run per file, and the lines that had no effect."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from integrations.states import ImportState


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
