"""Files of supply on their way in: checked first, then applied, with a result per row."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from inventory.states import SupplyImportState


class SupplyImport(StateModel):
    """A file of one kind: received → checking → checked → applying → applied.

    A check writes nothing but its results. `counts` sums the results of the last run by outcome.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32)
    file_name = models.CharField(max_length=255)
    header = models.JSONField(default=list)
    rows = models.PositiveIntegerField(default=0)
    state = StateField(max_length=12, choices=SupplyImportState, default=SupplyImportState.RECEIVED)
    counts = models.JSONField(default=dict)
    job_id = models.UUIDField(null=True)
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=120)
    ended_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SupplyImportState.values), name="supply_import_state_known"
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="supply_import_recent")]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.kind})"

    @transition(
        field=state,
        source=[SupplyImportState.RECEIVED, SupplyImportState.CHECKED],
        target=SupplyImportState.CHECKING,
    )
    def begin_check(self) -> None:
        """Every row is tried, and nothing of it kept."""

    @transition(field=state, source=SupplyImportState.CHECKING, target=SupplyImportState.CHECKED)
    def finish_check(self) -> None:
        """Every row has its result."""

    @transition(
        field=state,
        source=[SupplyImportState.RECEIVED, SupplyImportState.CHECKED],
        target=SupplyImportState.APPLYING,
    )
    def apply(self) -> None:
        """Rows that hold are written."""

    @transition(field=state, source=SupplyImportState.APPLYING, target=SupplyImportState.APPLIED)
    def finish(self) -> None:
        """Every row is written or refused."""


class SupplyImportPart(models.Model):
    """Some rows of a file as they came, and the result of each once it was worked on.

    `told` holds [row, outcome, column, code, detail] per row; null until then.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    of = models.ForeignKey(SupplyImport, models.CASCADE, related_name="parts")
    first_row = models.PositiveIntegerField()
    cells = models.JSONField()
    told = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "first_row"], name="supply_import_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.of_id} from row {self.first_row}"
