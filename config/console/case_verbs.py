"""What a person does with a case itself: see it, take it, let it wait, end it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
    undoable: bool = True

    @property
    def at_once(self) -> bool:
        """It asks for nothing: one click does it, and another undoes it."""
        return self.form is forms.PlainForm

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
                 "Opened again", undoable=False),
    )
}  # fmt: skip


def before(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """How cases stand, as JSON: what `put_back` brings back."""
    return [
        {
            "id": str(each["id"]),
            "state": each["state"],
            "until": each["waiting_until"].isoformat() if each["waiting_until"] else "",
            "assignee": str(each["assignee_id"] or ""),
        }
        for each in rows
    ]


def put_back(
    code: str, stood: Sequence[Mapping[str, Any]], *, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """Undo a verb: each case stands again as it stood. A case's outcome is its first refusal."""
    ended: dict[UUID, Outcome[Any]] = {}
    for ids, command in _way_back(code, stood):
        going = [each for each in ids if each not in ended or ended[each].ok]
        if going:
            ended.update(zip(going, command(going, at=at, actor=actor), strict=True))
    nothing: Outcome[Any] = Outcome.refused("conflict", "It stands as it stood.")
    return [ended.get(UUID(case["id"]), nothing) for case in stood]


def _way_back(
    code: str, stood: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[list[UUID], Callable[..., Sequence[Outcome[Any]]]]]:
    """The commands that lead back, each with its cases: through open to where they were."""

    def those(key: str, value: str) -> list[UUID]:
        return [UUID(case["id"]) for case in stood if case[key] == value]

    if code == "mine":
        for assignee in sorted({case["assignee"] for case in stood}):
            to = UUID(assignee) if assignee else None
            yield those("assignee", assignee), partial(cases.assign_cases, assignee_id=to)
        return
    if code == "resolve":
        yield (
            [UUID(case["id"]) for case in stood],
            partial(cases.reopen_cases, reason="undone"),
        )
    else:
        yield those("state", "open") + those("state", "acknowledged"), cases.put_cases_back
    yield those("state", "acknowledged"), cases.acknowledge_cases
    yield those("state", "in_progress"), cases.take_up_cases
    for until in sorted({case["until"] for case in stood if case["state"] == "waiting"}):
        yield (
            those("until", until),
            partial(
                cases.put_cases_on_wait,
                until=datetime.fromisoformat(until),
                reason="undone",
            ),
        )
