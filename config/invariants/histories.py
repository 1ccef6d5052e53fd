"""Invariant 4 wherever a machine has a history: it is a path of the graph, and ends at the row."""

from django.apps import apps
from django.db.models import Model

from config.invariants import Invariant, by_sql, register
from config.kernel.fsm import StateField, StateModel, transitions_of

ELSEWHERE = frozenset({"orders"})
"""Apps whose paths another module follows."""


def _machines() -> list[type[Model]]:
    """Every model of ours that has a state and a history."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, StateModel) and hasattr(model, "history")
    ]


def _state(model: type[Model]) -> str:
    """The column of the machine; a life beside a state would be its own."""
    return next(field.name for field in model._meta.fields if isinstance(field, StateField))


def legal_steps(declared: set[tuple[str, str]]) -> str:
    """The declared steps as SQL rows; several steps in one transaction count too."""
    steps = set(declared)
    while True:
        longer = {(a, d) for a, b in steps for c, d in steps if b == c}
        if longer <= steps:
            return ", ".join(f"('{source}', '{target}')" for source, target in sorted(steps))
        steps |= longer


def _rows(model: type[Model], table: str) -> str:
    """The table with a column `account_id`; what belongs to no account is nobody's alone."""
    shared = "account_id" not in {field.column for field in model._meta.concrete_fields}
    return f"(SELECT *, NULL::uuid AS account_id FROM {table})" if shared else table  # noqa: S608


def _path(model: type[Model]) -> Invariant:
    table = model.history.model._meta.db_table  # type: ignore[attr-defined]  # HistoricalRecords
    state = _state(model)
    steps = {(source, target) for _, source, target in transitions_of(model, state)}
    return by_sql(
        f"history.{model._meta.model_name}",
        f"The states of every {model._meta.verbose_name} follow its graph",
        "{} went from {} to {}, which its graph does not know.",
        f"""
        SELECT id, before, state FROM (
            SELECT id, {state} AS state, account_id,
                lag({state}) OVER (PARTITION BY id ORDER BY history_id) AS before
            FROM {_rows(model, table)} AS kept) AS path
        WHERE {{account}} AND before IS NOT NULL AND before <> state
          AND (before, state) NOT IN ({legal_steps(steps)})
        ORDER BY id
        """,  # noqa: S608  # names and states of the model
    )


def _present(model: type[Model]) -> Invariant:
    history = model.history.model._meta.db_table  # type: ignore[attr-defined]  # HistoricalRecords
    state = _state(model)
    return by_sql(
        f"history.{model._meta.model_name}.present",
        f"The state of every {model._meta.verbose_name} is the last of its history",
        "{} is {}, but its history ends with {}: nobody is named for the change.",
        f"""
        SELECT present.id, present.{state}, last.{state}
        FROM (SELECT * FROM {_rows(model, model._meta.db_table)} AS every WHERE {{account}})
            AS present
        JOIN (SELECT DISTINCT ON (id) id, {state} FROM {history} ORDER BY id, history_id DESC)
            AS last ON last.id = present.id
        WHERE last.{state} <> present.{state} ORDER BY present.id
        """,  # noqa: S608  # names of the model
    )


def _signed(model: type[Model]) -> Invariant:
    history = model.history.model  # type: ignore[attr-defined]  # HistoricalRecords
    return by_sql(
        f"history.{model._meta.model_name}.signed",
        f"Every change of a {model._meta.verbose_name} names who made it",
        "A change of {} at {} names nobody.",
        f"""
        SELECT id, history_at FROM {_rows(model, history._meta.db_table)} AS kept
        WHERE {{account}} AND (actor_kind = '' OR actor_id = '') ORDER BY id
        """,  # noqa: S608  # names of the model
    )


for machine in _machines():
    register(_present(machine), _signed(machine))
    if machine._meta.app_label not in ELSEWHERE:
        register(_path(machine))
