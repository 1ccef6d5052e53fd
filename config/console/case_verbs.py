"""What a person does with a case itself: see it, take it, let it wait, end it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.console import forms
from config.kernel.services import cases
from config.kernel.types import Actor, Outcome
from config.reports.sql import Row

Params = Mapping[str, Any]
OPEN: Final = ("open", "acknowledged", "in_progress", "waiting")


@dataclass(frozen=True, slots=True)
class CaseVerb:
    """One verb on cases, in batches."""

    code: str
    label: str
    form: type[forms.ActionForm]
    states: tuple[str, ...]
    run: Callable[[Sequence[UUID], Params, datetime, Actor], list[Outcome[Any]]]
    done: str
    key: str = ""
    primary: bool = False

    def judge(self, case: Row) -> str:
        """Why not now, or nothing."""
        if case["state"] in self.states:
            return ""
        state = str(case["state"]).replace("_", " ")
        return f"The case is {state}."


def _acknowledge(ids: Sequence[UUID], _: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    return list(cases.acknowledge_cases(ids, at=at, actor=actor))


def _mine(ids: Sequence[UUID], _: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    return list(cases.assign_cases(ids, UUID(actor.id), at=at, actor=actor))


def _take_up(ids: Sequence[UUID], _: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    return list(cases.take_up_cases(ids, at=at, actor=actor))


def _wait(ids: Sequence[UUID], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    until = datetime.fromisoformat(params["until"])
    return list(
        cases.put_cases_on_wait(ids, until=until, reason=params["reason"], at=at, actor=actor)
    )


def _resolve(ids: Sequence[UUID], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    return list(cases.resolve_cases(ids, resolution=params["resolution"], at=at, actor=actor))


def _reopen(ids: Sequence[UUID], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    return list(cases.reopen_cases(ids, reason=params["resolution"], at=at, actor=actor))


class ReopenForm(forms.ActionForm):
    resolution = forms.reason_field("Why it is not solved")


VERBS: Final = {
    verb.code: verb
    for verb in (
        CaseVerb("acknowledge", "Acknowledge", forms.PlainForm, ("open",), _acknowledge,
                 "Acknowledged"),
        CaseVerb("mine", "Assign to me", forms.PlainForm, OPEN, _mine, "Assigned to you", key="p"),
        CaseVerb("take_up", "Take up", forms.PlainForm, ("open", "acknowledged", "waiting"),
                 _take_up, "Taken up", primary=True),
        CaseVerb("wait", "Wait until", forms.WaitForm, ("open", "acknowledged", "in_progress"),
                 _wait, "Put on wait"),
        CaseVerb("resolve", "Resolve", forms.ResolveForm, OPEN, _resolve, "Resolved", key="e"),
        CaseVerb("reopen", "Open again", ReopenForm, ("resolved", "auto_resolved"), _reopen,
                 "Opened again"),
    )
}  # fmt: skip
