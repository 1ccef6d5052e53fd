"""Every (state × transition) pair of the kernel's machines, one by one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from config.kernel.errors import IllegalTransition
from config.kernel.fsm import StateModel, allowed_transitions, transitions_of
from config.kernel.models import Case, CaseState, Intent, IntentState, Job, JobState
from config.kernel.types import ALL_ACCOUNTS
from tests.factories.kernel import CaseFactory

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "Case.wait": {"until": NOON},
    "Case.resolve": {"resolution": "done", "at": NOON},
    "Case.clear": {"evidence": "gone", "at": NOON},
    "Intent.put_back": {"error": "later"},
    "Intent.lose_sight": {"error": "timeout"},
    "Intent.complete": {"answer": {}},
    "Intent.refuse": {"answer": {}, "error": "no"},
    "Intent.bury": {"error": "75 hours"},
    "Intent.withdraw": {"error": "settled otherwise"},
    "Job.fail": {"error": "crash"},
}
GRAPH: dict[type[StateModel], dict[str, tuple[set[str], str]]] = {
    Case: {
        "acknowledge": ({"open"}, "acknowledged"),
        "take_up": ({"open", "acknowledged", "waiting"}, "in_progress"),
        "wait": ({"open", "acknowledged", "in_progress"}, "waiting"),
        "put_back": ({"acknowledged", "in_progress", "waiting"}, "open"),
        "resolve": ({"open", "acknowledged", "in_progress", "waiting"}, "resolved"),
        "clear": ({"open", "acknowledged", "in_progress", "waiting"}, "auto_resolved"),
        "reopen": ({"resolved", "auto_resolved"}, "open"),
    },
    Intent: {
        "start": ({"pending", "running", "unknown"}, "running"),
        "put_back": ({"running"}, "pending"),
        "lose_sight": ({"running"}, "unknown"),
        "complete": ({"running"}, "done"),
        "refuse": ({"running"}, "refused"),
        "bury": ({"running"}, "dead"),
        "revive": ({"dead", "refused"}, "unknown"),
        "withdraw": ({"pending", "dead"}, "refused"),
    },
    Job: {
        "start": ({"queued", "running"}, "running"),
        "finish": ({"running"}, "done"),
        "finish_in_part": ({"running"}, "partial"),
        "fail": ({"queued", "running"}, "failed"),
        "cancel": ({"queued", "running"}, "cancelled"),
    },
}
STATES: dict[type[StateModel], list[str]] = {
    Case: CaseState.values,
    Intent: IntentState.values,
    Job: JobState.values,
}
PAIRS = [
    pytest.param(model, state, name, id=f"{model.__name__}-{state}-{name}")
    for model, moves in GRAPH.items()
    for state in STATES[model]
    for name in moves
]


@pytest.mark.parametrize(("model", "state", "name"), PAIRS)
def test_each_transition_leaves_exactly_its_sources(
    model: type[Any], state: str, name: str
) -> None:
    sources, target = GRAPH[model][name]
    row = model(state=state)
    arguments = ARGUMENTS.get(f"{model.__name__}.{name}", {})

    if state in sources:
        getattr(row, name)(**arguments)
        assert row.state == target
    else:
        with pytest.raises(IllegalTransition) as refusal:
            getattr(row, name)(**arguments)
        assert row.state == state
        assert refusal.value.extra["allowed"] == sorted(
            other for other, (leaves, _) in GRAPH[model].items() if state in leaves
        )


@pytest.mark.parametrize("model", GRAPH)
def test_the_declared_graph_is_the_whole_graph(model: type[StateModel]) -> None:
    assert transitions_of(model) == sorted(
        (name, source, target)
        for name, (sources, target) in GRAPH[model].items()
        for source in sources
    )


@pytest.mark.django_db
class TestStateField:
    def test_refuses_assignment(self) -> None:
        case = CaseFactory.build()

        with pytest.raises(AttributeError):
            case.state = CaseState.RESOLVED

    def test_is_read_again_with_the_row(self) -> None:
        case = CaseFactory()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_case SET state = 'waiting' WHERE id = %s", [case.pk])

        case.refresh_from_db()
        assert case.state == CaseState.WAITING

    def test_is_read_again_alone_and_through_a_deferred_row(self) -> None:
        case = CaseFactory()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_case SET state = 'waiting' WHERE id = %s", [case.pk])

        case.refresh_from_db(fields=["state"])
        assert case.state == CaseState.WAITING
        deferred = Case.objects.for_scope(ALL_ACCOUNTS).defer("state").get(pk=case.pk)
        assert deferred.state == CaseState.WAITING

    def test_stays_protected_when_a_reload_fails(self) -> None:
        case = CaseFactory()
        Case.objects.for_scope(ALL_ACCOUNTS).filter(pk=case.pk).delete()

        with pytest.raises(Case.DoesNotExist):
            case.refresh_from_db()
        with pytest.raises(AttributeError):
            case.state = CaseState.RESOLVED

    def test_lists_what_is_allowed_now(self) -> None:
        assert allowed_transitions(CaseFactory.build()) == [
            "acknowledge",
            "clear",
            "resolve",
            "take_up",
            "wait",
        ]

    def test_is_checked_by_the_database_too(self) -> None:
        case = CaseFactory()

        with (
            pytest.raises(IntegrityError, match="case_state_known"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE kernel_case SET state = 'asleep' WHERE id = %s", [case.pk])


def test_a_transition_passes_arguments_and_result_through() -> None:
    case = Case(state=CaseState.OPEN)

    case.wait(until=NOON)

    assert case.waiting_until == NOON
    with pytest.raises(TypeError):
        case.take_up(1)  # type: ignore[call-arg]


def test_every_state_column_of_the_kernel_has_a_check() -> None:
    for model in GRAPH:
        checks = [
            constraint.name
            for constraint in model._meta.constraints
            if isinstance(constraint, models.CheckConstraint)
        ]
        assert f"{model._meta.model_name}_state_known" in checks
