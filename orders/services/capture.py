"""Capture: a draft becomes an order once, whatever it lacks; what it lacks becomes holds."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import connection, models, transaction

from config.kernel import ahead, case_reports, events, vault
from config.kernel.collecting import uncollected
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import SubjectKey
from config.kernel.prepared import values_apart
from config.kernel.types import Actor, Outcome
from orders import validators
from orders.models import (
    Authorization,
    Contact,
    Customer,
    DeliveryGroup,
    Hold,
    Order,
    OrderLine,
    OrderNote,
    Tender,
)
from orders.rows import Statement
from orders.services.capture_known import Key, Surroundings, key_of, lookalike_of, surroundings
from orders.services.capture_rows import shape
from orders.services.holding import case_of
from orders.services.shaped import Judged, Shaped, needs_key, tamed
from orders.states import Mode, OrderState
from orders.types import CapturedOrder, OrderDraft
from orders.validators.finding import Finding, Known, Lookalike, Severity

_LONGEST_ID = 128
MOST_PARTS, LEAST_PART = 8, 100
"""A batch is written in at most so many parts, of at least so many orders each."""
_PARTS: Final[tuple[tuple[type[models.Model], str], ...]] = (
    (SubjectKey, "keys"),
    (Contact, "contacts"),
    (DeliveryGroup, "groups"),
    (OrderLine, "lines"),
    (Hold, "holds"),
    (Tender, "tenders"),
    (Authorization, "authorizations"),
    (OrderNote, "notes"),
)
"""What is written with an order, and where it stands among its rows (`Shaped`)."""
_TABLES: Final = [Order._meta.db_table, *(model._meta.db_table for model, _ in _PARTS)]
CHECKS = "checks"
"""Who places what the checks of capture find: not the caller, who may lift what it placed."""


@uncollected
@values_apart
@transaction.atomic
def capture_orders(
    drafts: Sequence[OrderDraft],
    *,
    at: datetime,
    actor: Actor,
    beside: Callable[[Sequence[Outcome[CapturedOrder]]], None] | None = None,
) -> list[Outcome[CapturedOrder]]:
    """Keep each draft as an order, once per (channel, document kind, external id).

    A repeat answers with the first. Refused is only what nobody has sold yet, with everything
    found wrong. `beside` is given the outcomes before the commit: what it writes is there when
    they are. The number of statements does not depend on the number of drafts, but that a large
    batch is written in a few parts.
    """
    known = surroundings(drafts, at)
    outcomes: dict[int, Outcome[CapturedOrder]] = {}
    first: dict[Key, int] = {}
    for position, draft in enumerate(drafts):
        refusal = _impossible(draft, known, actor)
        if refusal is not None:
            outcomes[position] = refusal
        else:
            first.setdefault(key_of(draft), position)
    judge = partial(_judge_all, drafts, known, outcomes, at=at)
    with ahead.sending_ahead():
        shaped, new = _write(first, judge, in_parts=not known.look_alike(), at=at)
        # Written down while PostgreSQL is at work still: `new` waits for it.
        facts = {one.id: _facts(one) for one in shaped.values()}
        born = new()
        fresh = {position: one for position, one in shaped.items() if one.id in born}
        _record(list(fresh.values()), facts, at=at, actor=actor)
        for position, one in fresh.items():
            outcomes[position] = Outcome.done(_answer(one, born[one.id]))
    answers = _with_repeats(drafts, outcomes, first)
    if beside is not None:
        beside(answers)
    return answers


def _impossible(
    draft: OrderDraft, known: Surroundings, actor: Actor
) -> Outcome[CapturedOrder] | None:
    """What is no order of this caller at all."""
    channel = known.channels.get(draft.channel_id)
    if (
        channel is None
        or channel.account_id != draft.account_id
        or not actor.scope.allows(draft.account_id)
    ):
        return Outcome.refused("not-found", "There is no such channel.")
    if not draft.external_id or len(draft.external_id) > _LONGEST_ID:
        return Outcome.refused(
            "invalid",
            f"The order needs an external id of at most {_LONGEST_ID} characters.",
            errors=[{"pointer": "/external_id", "code": "external-id", "detail": "missing"}],
        )
    return None


def _judge_all(
    drafts: Sequence[OrderDraft],
    known: Surroundings,
    outcomes: dict[int, Outcome[CapturedOrder]],
    positions: Iterable[int],
    *,
    at: datetime,
) -> dict[int, Judged]:
    """Judge these drafts; those that are kept out are among the outcomes."""
    judged = {}
    for position in positions:
        answer = _judge(drafts[position], position, known, at=at)
        if isinstance(answer, Judged):
            judged[position] = answer
        else:
            outcomes[position] = answer
    return judged


def _judge(
    draft: OrderDraft,
    position: int,
    known: Surroundings,
    *,
    at: datetime,
) -> Judged | Outcome[CapturedOrder]:
    """Judge one draft; answer what its rows are made from, or everything that keeps it out."""
    channel, value = known.channels[draft.channel_id], known.hashes[position]
    skus, cart = known.skus.get(draft.channel_id, {}), known.carts.get((channel.pk, draft.cart))
    findings = validators.judge(
        draft,
        Known(
            channel_currency=channel.currency,
            at=at,
            skus=skus,
            node_codes=frozenset(known.routes.nodes),
            service_codes=frozenset(known.routes.services),
            lookalike=lookalike_of(draft, value, known),
            cart=cart,
        ),
    )
    if any(finding.severity is Severity.REJECT for finding in findings):
        return _rejected(findings)
    if value:
        known.lookalikes.setdefault(value, []).append(
            (key_of(draft), Lookalike(draft.external_number or draft.external_id, draft.placed_at))
        )
    fits = len(draft.currency) == len(channel.currency) and draft.currency.isupper()
    return Judged(
        draft=tamed(draft),
        findings=findings,
        skus=skus,
        components=known.components,
        routes=known.routes,
        lookalike_hash=value,
        currency=draft.currency if fits else channel.currency,
        cart_hold_id=cart.id if cart is not None and cart.taken_by is None else None,
    )


def _shape(judged: Judged, *, at: datetime) -> Shaped:
    """The rows of one order, its personal data sealed with a key of its own."""
    key_id, wrapped = vault.draw_key() if needs_key(judged.draft) else (None, b"")
    shaped = shape(judged, key_id, placed_by=CHECKS, at=at)
    shaped.keys = [{"id": key_id, "wrapped": wrapped}] if key_id else []
    return shaped


def _rejected(findings: Sequence[Finding]) -> Outcome[CapturedOrder]:
    wrong = [finding for finding in findings if finding.severity is Severity.REJECT]
    return Outcome.refused(
        "invalid",
        " ".join(finding.detail for finding in wrong),
        errors=[
            {"pointer": finding.pointer, "code": finding.code, "detail": finding.detail}
            for finding in findings
            if finding.severity in {Severity.REJECT, Severity.HOLD}
        ],
    )


def _write(
    first: Mapping[Key, int],
    judge: Callable[[Iterable[int]], dict[int, Judged]],
    *,
    in_parts: bool,
    at: datetime,
) -> tuple[dict[int, Shaped], Callable[[], dict[UUID, str]]]:
    """Judge, shape and write part by part; answer the rows, and what tells which orders are new.

    While PostgreSQL writes one part, the next is shaped; and judged, unless orders of the batch
    look alike: the earlier of them counts. Sorted by external id, then customers by id, so that two
    batches with the same orders or buyers wait and never cross.
    """
    together = {} if in_parts else judge(first.values())
    ordered = [first[key] for key in sorted(first)]
    shaped: dict[int, Shaped] = {}
    answers = []
    size = max(LEAST_PART, -(-len(ordered) // MOST_PARTS))
    whole = len(ordered) <= size
    if not whole:
        ahead.check_with_each(_TABLES, but=Customer._meta.db_table)
    for start in range(0, len(ordered), size):
        places = ordered[start : start + size]
        judged = judge(places) if in_parts else together
        part = {place: _shape(judged[place], at=at) for place in places if place in judged}
        if part:
            answers.append(_insert(list(part.values()), with_customers=whole))
            ahead.hand_over()
            shaped |= part
    if whole:
        ahead.check_ahead(len(shaped))
    else:
        statement = Statement()
        _add_customers(statement, shaped.values(), owned_by=Order)
        statement.run()
        ahead.check_all()
    return shaped, lambda: {row[0]: row[1] for answered in answers for row in answered()}


def _insert(part: Sequence[Shaped], *, with_customers: bool) -> Callable[[], list[tuple[Any, ...]]]:
    """Every table in one statement; it answers the orders that were not there before."""
    statement = Statement()
    statement.insert(
        Order,
        [one.order for one in part],
        on_conflict="ON CONFLICT (channel_id, document_kind, external_id) DO NOTHING",
        returning=("id", "number"),
    )
    if with_customers:
        _add_customers(statement, part, owned_by=None)
    for model, name in _PARTS:
        rows = [(row, one.id) for one in part for row in getattr(one, name)]
        statement.insert(model, [row for row, _ in rows], owners=[owner for _, owner in rows])
    return statement.ask(("id", "number"))


def _add_customers(
    statement: Statement, shaped: Collection[Shaped], *, owned_by: type[Order] | None
) -> None:
    """The customers of the orders that are new; whoever is known already stays as they are."""
    customers = {
        one.customer["id"]: (one.customer, one.id) for one in shaped if one.customer is not None
    }
    people = [customers[customer_id] for customer_id in sorted(customers)]
    statement.insert(
        Customer,
        [row for row, _ in people],
        owners=[owner for _, owner in people],
        owned_by=owned_by,
        on_conflict="ON CONFLICT DO NOTHING",
        order_by="id",
    )


def _record(
    born: Sequence[Shaped],
    facts: Mapping[UUID, Sequence[events.Fact]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """History, events and cases of the orders that are new."""
    reason = "captured"
    record_history(
        Order, [one.id for one in born], Change.CREATED, at=at, actor=actor, reason=reason
    )
    held = [row for one in born for row in one.holds]
    record_history(
        Hold, [row["id"] for row in held], Change.CREATED, at=at, actor=actor, reason=reason
    )
    secured = [row["id"] for one in born for row in one.authorizations]
    record_history(Authorization, secured, Change.CREATED, at=at, actor=actor, reason=reason)
    events.record([fact for one in born for fact in facts[one.id]], at=at, actor=actor)
    case_reports.report([found for row in held if (found := case_of(row)) is not None], at=at)


def _facts(one: Shaped) -> list[events.Fact]:
    order = one.order
    topic = "order.imported" if order["mode"] == Mode.HISTORY else "order.captured"
    captured = events.Fact(
        topic,
        "order",
        one.id,
        1,
        order["account_id"],
        {
            "channel_id": str(order["channel_id"]),
            "mode": order["mode"],
            "lines": len(one.lines),
            "total_minor": order["total_minor"],
            "currency": order["currency"],
        },
        one.id,
    )
    return [
        captured,
        *(
            events.Fact(
                "order.held",
                "order",
                one.id,
                2 + position,
                order["account_id"],
                {"hold_id": str(row["id"]), "type": row["type"]},
                one.id,
            )
            for position, row in enumerate(one.holds)
        ),
    ]


def _answer(one: Shaped, number: str) -> CapturedOrder:
    return CapturedOrder(
        id=one.id,
        number=number,
        external_id=one.draft.external_id,
        state=one.order["state"],
        progress=one.order["progress"],
        holds=tuple(row["type"] for row in one.holds),
        warnings=one.warnings,
        accepts=one.order["state"] == OrderState.CAPTURED,
    )


def _with_repeats(
    drafts: Sequence[OrderDraft],
    outcomes: dict[int, Outcome[CapturedOrder]],
    first: Mapping[Key, int],
) -> list[Outcome[CapturedOrder]]:
    """Answer what was there before with the first; also a draft that would be refused today."""
    unanswered = {
        position: key_of(draft)
        for position, draft in enumerate(drafts)
        if position not in outcomes or (key_of(draft) in first and not outcomes[position].ok)
    }
    there = _existing(set(unanswered.values()))
    for position, key in unanswered.items():
        if key in there:
            outcomes[position] = Outcome.repeated(there[key])
        elif position not in outcomes:
            outcomes[position] = outcomes[first[key]]
    return [outcomes[position] for position in range(len(drafts))]


def _existing(keys: set[Key]) -> dict[Key, CapturedOrder]:
    if not keys:
        return {}
    asked = sorted(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.channel_id, o.document_kind, o.external_id, o.id, o.number, o.state,
                o.progress, coalesce(array_agg(h.type ORDER BY h.id)
                    FILTER (WHERE h.id IS NOT NULL), '{}')
            FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS asked (channel, kind, external)
            JOIN orders_order o ON o.channel_id = asked.channel
                AND o.document_kind = asked.kind AND o.external_id = asked.external
            LEFT JOIN orders_hold h ON h.order_id = o.id AND h.state = 'active'
            GROUP BY o.id
            """,
            [[key[0] for key in asked], [key[1] for key in asked], [key[2] for key in asked]],
        )
        return {
            (row[0], row[1], row[2]): CapturedOrder(
                id=row[3],
                number=row[4],
                external_id=row[2],
                state=row[5],
                progress=row[6],
                holds=tuple(row[7]),
                repeated=True,
                accepts=row[5] == OrderState.CAPTURED,
            )
            for row in cursor.fetchall()
        }
