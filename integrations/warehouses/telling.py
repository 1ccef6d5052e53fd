"""One report on its way through the applier, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from config.kernel.types import Outcome, OutcomeKind
from fulfillment.nodework import NodeWork
from integrations.types import ConnectionRef
from integrations.warehouses.reports import Report

R = TypeVar("R")


class Came(StrEnum):
    """What came of one report."""

    DONE = "done"
    SAME = "same"
    DISAGREES = "disagrees"
    WAITS = "waits"


@dataclass(slots=True)
class Told:
    """One report of one message, and what came of it. `partly`: done as far as was possible."""

    place: int
    ref: ConnectionRef
    node_id: int
    report: Report
    work: NodeWork | None = None
    thread_id: UUID | None = None
    came: Came = Came.SAME
    code: str = ""
    detail: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    partly: bool = False
    of_change: bool = False
    """An answer to a question about a change, not about units."""

    def become(self, came: Came, code: str = "", detail: str = "", **evidence: Any) -> None:
        self.came, self.code, self.detail = came, code, detail
        self.evidence = evidence

    def differ(self, code: str, detail: str, **evidence: Any) -> None:
        self.become(Came.DISAGREES, code, detail, **evidence)


def of(told: Iterable[Told], kind: type[R]) -> list[tuple[Told, R]]:
    """The reports of one kind that nothing has been said of yet."""
    return [(one, one.report) for one in told if isinstance(one.report, kind)]


def when(told: Iterable[Told], at: datetime) -> datetime:
    """When the latest of them happened; never later than now."""
    return min(at, max((one.report.at for one in told), default=at))


def work_of(one: Told) -> NodeWork:
    if one.work is None:
        raise ValueError("a report about no work")
    return one.work


def settle(one: Told, outcome: Outcome[Any]) -> None:
    """Say of a report what the command said, unless it differs already."""
    if outcome.problem is not None:
        one.differ(outcome.problem.code, outcome.problem.detail, **_told_of(outcome))
    elif one.came is Came.DISAGREES:
        one.partly = one.partly or outcome.kind is OutcomeKind.DONE
    elif outcome.kind is OutcomeKind.DONE:
        one.become(Came.DONE)


def _told_of(outcome: Outcome[Any]) -> dict[str, Any]:
    extra = outcome.problem.extra if outcome.problem else {}
    return {name: extra[name] for name in ("left", "state") if name in extra}
