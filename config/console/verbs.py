"""What a person may do to orders, one or a thousand: form, judgement before, command, words after.

A judgement says beforehand whether the command will refuse, and why; the command decides. Every
verb is also a kind of job, so that many orders are worked through with a result each.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import fulfillment.services
import orders.services
from config.console import choice_verbs, forms, payment_verbs
from config.kernel import vault
from config.kernel.access import Permission
from config.kernel.services import jobs
from config.kernel.types import Actor, Outcome
from config.reports.order_facts import ended_holds, facts, notes_by
from config.reports.sql import Row
from orders.types import (
    Address,
    AddressCorrection,
    CancelRequest,
    HoldRequest,
    NodePin,
    NoteDraft,
)

INLINE_LIMIT: Final = 50
JOB_LIMIT: Final = 1_000
ENDED: Final = ("closed", "cancelled")

Params = Mapping[str, Any]
Run = Callable[[Sequence[Row], Params, datetime, Actor], list[Outcome[Any]]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. `judge` answers why an order cannot be changed so, or nothing.

    `undo` is the opposite for orders to which the verb was just done, by the same person with the
    same params; these name the business time `since` which it was done.
    """

    code: str
    label: str
    permission: Permission
    form: type[forms.ActionForm]
    judge: Callable[[Row], str]
    run: Run
    effect: str
    key: str = ""
    bulk: bool = True
    danger: bool = False
    primary: bool = False
    undo: Run | None = None
    undone: str = ""

    @property
    def job_kind(self) -> str:
        return f"console.{self.code}"

    @property
    def undo_kind(self) -> str:
        return f"{self.job_kind}.undo"

    def run_items(
        self, ids: Sequence[UUID], params: Params, at: datetime, actor: Actor
    ) -> list[Outcome[Any]]:
        """One chunk of the job: one outcome per id, in order."""
        return _on_orders(self.run, ids, params, at, actor)

    def undo_items(
        self, ids: Sequence[UUID], params: Params, at: datetime, actor: Actor
    ) -> list[Outcome[Any]]:
        """One chunk of the job that undoes it. Raises KeyError for a verb without a way back."""
        if self.undo is None:
            raise KeyError(self.code)
        return _on_orders(self.undo, ids, params, at, actor)


def _on_orders(
    run: Run, ids: Sequence[UUID], params: Params, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    known = {each["id"]: each for each in facts(ids) if actor.scope.allows(each["account_id"])}
    present = [known[each] for each in ids if each in known]
    answers = iter(run(present, params, at, actor) if present else [])
    missing: Outcome[Any] = Outcome.refused("not-found", "There is no such order.")
    return [next(answers) if each in known else missing for each in ids]


def _ended(order: Row) -> str:
    if order["state"] == "cancelled":
        return "It is cancelled."
    return "It is closed." if order["state"] == "closed" else ""


def _judge_hold(order: Row) -> str:
    if why := _ended(order):
        return why
    if order["shipped"] + order["cancelled"] >= order["ordered"]:
        return "Everything has left already; a hold stops nothing any more."
    if order["released"] and not order["pending"] + order["backordered"] + order["reserved"]:
        return "Its units are with the nodes: cancel or wait, a hold does not stop a pick."
    return ""


def _judge_release_hold(order: Row) -> str:
    return "" if order["holds"] else "Nothing holds it."


def _judge_cancel(order: Row) -> str:
    if why := _ended(order):
        return why
    open_units = order["ordered"] - order["shipped"] - order["cancelled"]
    return "" if open_units > 0 else "Everything has shipped: it needs a return, not a cancel."


def _judge_release(order: Row) -> str:
    if order["state"] == "captured":
        return "It is not accepted yet."
    if why := _ended(order):
        return why
    stops = [hold["type"] for hold in order["holds"] if "release" in hold["blocks"]]
    if stops:
        return f"On hold: {', '.join(sorted(set(stops)))}. Release the hold first."
    if not any(group["ours"] and group["reserved"] for group in order["groups"]):
        return "Nothing is reserved that waits for release."
    if order["payment_state"] in {"pending", "failed"}:
        return "Its payment is not secured."
    return ""


def _judge_reroute(order: Row) -> str:
    if why := _ended(order):
        return why
    if order["state"] != "accepted":
        return "It is not accepted yet."
    if not any(group["ours"] and group["unreleased"] for group in order["groups"]):
        return "Nothing is left that is not with a node or shipped."
    return ""


def _judge_address(order: Row) -> str:
    if why := _ended(order):
        return why
    if not any(group["ours"] and group["method"] == "ship" for group in order["groups"]):
        return "Nothing of it is shipped to an address by us."
    if order["shipped"] and order["shipped"] + order["cancelled"] >= order["ordered"]:
        return "All of it is on its way: write to the carrier."
    return ""


def _judge_retry(order: Row) -> str:
    if order["refused"]:
        return ""
    return (
        "No payment was refused that could be asked for again. Where its authorisation has ended, "
        "the buyer has to authorise again: note the new authorisation."
    )


def _judge_note(order: Row) -> str:
    del order
    return ""


def _hold(rows: Sequence[Row], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    until = datetime.fromisoformat(params["until"]) if params.get("until") else None
    return orders.services.place_holds(
        [
            HoldRequest(
                each["id"],
                params["type"],
                params["reason"],
                until=until,
                handle=params.get("mark", ""),
            )
            for each in rows
        ],
        at=at,
        actor=actor,
    )


def _undo_hold(
    rows: Sequence[Row], params: Params, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """Release the holds that carry the mark of what is undone, and no other."""
    marked = [
        [hold["id"] for hold in each["holds"] if hold["handle"] == params["mark"]] for each in rows
    ]
    flat = [hold_id for ids in marked for hold_id in ids]
    outcomes = orders.services.release_holds(flat, "undone", at=at, actor=actor) if flat else []
    by_id = dict(zip(flat, outcomes, strict=True))
    gone: Outcome[Any] = Outcome.refused("conflict", "The hold has ended since.")
    return [by_id[ids[0]] if ids else gone for ids in marked]


def _release_hold(
    rows: Sequence[Row], params: Params, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """Release the named holds, those of a type, or all; an order's outcome is its worst."""
    wanted = [[hold["id"] for hold in each["holds"] if _meant(hold, params)] for each in rows]
    flat = [hold_id for ids in wanted for hold_id in ids]
    outcomes = (
        orders.services.release_holds(flat, params["reason"], at=at, actor=actor) if flat else []
    )
    by_id = dict(zip(flat, outcomes, strict=True))
    nothing: Outcome[Any] = Outcome.refused("conflict", "No such hold is active on it.")
    return [
        next((by_id[each] for each in ids if not by_id[each].ok), by_id[ids[0]]) if ids else nothing
        for ids in wanted
    ]


def _undo_release_hold(
    rows: Sequence[Row], params: Params, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """Hold again for the same reasons what was let go; an order's outcome is its worst."""
    since = datetime.fromisoformat(params["since"])
    ended = ended_holds(
        [each["id"] for each in rows], by=actor.name, reason=params["reason"], since=since
    )
    late = {each["id"]: why for each in rows if (why := _judge_hold(each))}
    again = [each for each in ended if each["order_id"] not in late]
    outcomes = orders.services.place_holds(
        [
            HoldRequest(
                each["order_id"], each["type"], each["reason"], group_id=each["group_id"],
                line_id=each["line_id"], until=each["until"], handle=each["handle"],
                blocks=tuple(each["blocks"]),
            )
            for each in again
        ],
        at=at,
        actor=actor,
    )  # fmt: skip
    answers: dict[UUID, Outcome[Any]] = {
        order_id: Outcome.refused("conflict", why) for order_id, why in late.items()
    }
    for hold, outcome in zip(again, outcomes, strict=True):
        if hold["order_id"] not in answers or not outcome.ok:
            answers[hold["order_id"]] = outcome
    nothing: Outcome[Any] = Outcome.refused("conflict", "No hold of it was released.")
    return [answers.get(each["id"], nothing) for each in rows]


def _meant(hold: Row, params: Params) -> bool:
    if params.get("hold"):
        return bool(str(hold["id"]) == params["hold"])
    return not params.get("type") or bool(hold["type"] == params["type"])


def _cancel(rows: Sequence[Row], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    line = UUID(params["line"]) if params.get("line") else None
    return orders.services.cancel_units(
        [
            CancelRequest(
                each["id"],
                line_id=line,
                quantity=params.get("quantity") or None,
                reason=params["reason"],
                initiator=params["initiator"],
            )
            for each in rows
        ],
        at=at,
        actor=actor,
    )


def _per_group(
    rows: Sequence[Row],
    wanted: Callable[[Row], bool],
    call: Callable[[list[UUID]], list[Outcome[Any]]],
    nothing: str,
) -> list[Outcome[Any]]:
    """Call a command with the wanted groups of all orders; an order's outcome is its worst."""
    groups = [[group["id"] for group in each["groups"] if wanted(group)] for each in rows]
    flat = [group_id for ids in groups for group_id in ids]
    by_id = dict(zip(flat, call(flat) if flat else [], strict=True))
    refusal: Outcome[Any] = Outcome.refused("conflict", nothing)
    return [
        next((by_id[each] for each in ids if not by_id[each].ok), by_id[ids[0]]) if ids else refusal
        for ids in groups
    ]


def _release(rows: Sequence[Row], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    del params
    return _per_group(
        rows,
        lambda group: bool(group["ours"] and group["reserved"]),
        lambda ids: fulfillment.services.release_groups(ids, at=at, actor=actor),
        "Nothing is reserved that waits for release.",
    )


def _reroute(rows: Sequence[Row], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    node_id = int(params["node"])
    only = params.get("group", "")
    return _per_group(
        rows,
        lambda group: (
            bool(group["ours"] and group["unreleased"]) and (not only or str(group["id"]) == only)
        ),
        lambda ids: orders.services.pin_groups(
            [NodePin(each, node_id) for each in ids], at=at, actor=actor
        ),
        "Nothing is left that is not with a node or shipped.",
    )


def _retry_capture(
    rows: Sequence[Row], params: Params, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    del params
    return list(orders.services.retry_captures([each["id"] for each in rows], at=at, actor=actor))


def _note(rows: Sequence[Row], params: Params, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    text = vault.open_(UUID(params["key"]), b64decode(params["sealed"]))["text"]
    return orders.services.add_notes(
        [NoteDraft(each["id"], text) for each in rows], at=at, actor=actor
    )


def _undo_note(
    rows: Sequence[Row], params: Params, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    since = datetime.fromisoformat(params["since"])
    written = {
        each["order_id"]: each["id"]
        for each in notes_by([each["id"] for each in rows], by=actor.name, since=since)
    }
    outcomes = orders.services.withdraw_notes(list(written.values()), at=at, actor=actor)
    by_order = dict(zip(written, outcomes, strict=True))
    nothing: Outcome[Any] = Outcome.refused("conflict", "The note is gone already.")
    return [by_order.get(each["id"], nothing) for each in rows]


VERBS: Final[dict[str, Verb]] = {
    verb.code: verb
    for verb in (
        Verb(
            "release", "Release to node", Permission.FULFILLMENT_RELEASE, forms.PlainForm,
            _judge_release, _release, "Released to its node", primary=True,
        ),
        Verb(
            "choose", "Choose for the buyer", Permission.ORDERS_CHANGE_ADDRESS, forms.ChoiceForm,
            choice_verbs.judge, choice_verbs.choose, "It goes on as the buyer wants",
            bulk=False, primary=True,
        ),
        Verb(
            "hold", "Hold", Permission.ORDERS_HOLD, forms.HoldForm, _judge_hold, _hold,
            "Put on hold", key="h", undo=_undo_hold, undone="the hold is released",
        ),
        Verb(
            "release_hold", "Release hold", Permission.ORDERS_HOLD, forms.ReleaseHoldForm,
            _judge_release_hold, _release_hold, "Hold released", primary=True,
            undo=_undo_release_hold, undone="it is on hold again",
        ),
        Verb(
            "reroute", "Send from another node", Permission.ORDERS_REROUTE, forms.RerouteForm,
            _judge_reroute, _reroute, "Sent from the chosen node", key="a",
        ),
        Verb(
            "cancel", "Cancel", Permission.ORDERS_CANCEL, forms.CancelForm, _judge_cancel, _cancel,
            "Cancelled", danger=True,
        ),
        Verb(
            "retry_capture", "Try the payment again", Permission.ORDERS_HOLD, forms.PlainForm,
            _judge_retry, _retry_capture, "The payment is asked for again", primary=True,
        ),
        Verb(
            "authorize", "Note a new authorisation", Permission.PAYMENTS_SETTLE,
            forms.AuthorizationForm, payment_verbs.judge_authorize, payment_verbs.authorize,
            "What is owed is asked of the new authorisation", bulk=False,
        ),
        Verb(
            "ask_to_pay", "Ask the buyer to pay", Permission.ORDERS_HOLD, forms.PlainForm,
            payment_verbs.judge_unsecured, payment_verbs.ask_to_pay, "The buyer is asked to pay",
        ),
        Verb(
            "accept_risk", "Send at our own risk", Permission.PAYMENTS_SETTLE, forms.RiskForm,
            payment_verbs.judge_unsecured, payment_verbs.accept_risk,
            "It goes out, and what is not secured is owed on account",
        ),
        Verb(
            "retry_refund", "Try the refund again", Permission.ORDERS_HOLD, forms.PlainForm,
            payment_verbs.judge_retry_refund, payment_verbs.retry_refund,
            "The refund is asked for again", primary=True,
        ),
        Verb(
            "look_up", "Ask the provider", Permission.ORDERS_HOLD, forms.PlainForm,
            payment_verbs.judge_look_up, payment_verbs.look_up,
            "The provider is asked what became of it", primary=True,
        ),
        Verb(
            "settle_payment", "Settle a payment by hand", Permission.PAYMENTS_SETTLE,
            forms.SettleForm, payment_verbs.judge_settle, payment_verbs.settle,
            "The payment is settled", bulk=False,
        ),
        Verb(
            "note", "Add a note", Permission.ORDERS_NOTE, forms.NoteForm, _judge_note, _note,
            "Note added", key="n", undo=_undo_note, undone="the note is withdrawn",
        ),
    )
}  # fmt: skip


def register_jobs() -> None:
    """Make every verb a kind of job; called from `ConsoleConfig.ready()`."""
    for verb in VERBS.values():
        jobs.register(verb.job_kind, verb.run_items)
        if verb.undo is not None:
            jobs.register(verb.undo_kind, verb.undo_items)


def why_no_address(order: Row) -> str:
    """Why the address cannot be corrected, or nothing."""
    return _judge_address(order)


def group_to_correct(order: Row) -> UUID | None:
    """The delivery that is held for its address and can be given another; the first of them."""
    if why_no_address(order):
        return None
    held = {hold["group"] for hold in order["holds"] if hold["type"] in {"address", "destination"}}
    return next((group["id"] for group in order["groups"] if str(group["id"]) in held), None)


def correct_address(
    group_id: UUID, address: Address, *, at: datetime, actor: Actor
) -> Outcome[Any]:
    """Correct the destination of one delivery group."""
    return orders.services.correct_addresses(
        [AddressCorrection(group_id, address)], at=at, actor=actor
    )[0]


PERMISSIONS: Final = tuple(dict.fromkeys(verb.permission for verb in VERBS.values()))
"""Whoever holds one of these has something to do to orders."""
