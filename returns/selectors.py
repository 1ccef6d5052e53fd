"""What can be asked of returns."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from config.kernel import vault
from config.kernel.errors import DomainError, NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment.selectors import orders_by_tracking
from inventory.selectors import skus_by_scan
from orders.credits import total_of
from orders.selectors import creditable_lines, quote_credit, search
from orders.types import CreditedPart, CreditedUnits, CreditRequest
from returns import policy
from returns.facts import facts_of
from returns.models import (
    Claim,
    ClaimLine,
    Inspection,
    Receipt,
    Return,
    ReturnLabel,
    ReturnLine,
    ReturnPhoto,
)
from returns.states import (
    EXPECTED,
    OPEN_RETURN,
    TO_DECIDE,
    Decision,
    ReturnState,
)
from returns.types import (
    Quote,
    RequestedUnits,
    Returnable,
    ReturnableLine,
    ReturnRequest,
)

TABS = {
    "expected": EXPECTED,
    "to_grade": (ReturnState.RECEIVED,),
    "to_decide": TO_DECIDE,
    "to_refund": (ReturnState.INSPECTED,),
    "done": (
        ReturnState.SETTLED,
        ReturnState.CLOSED,
        ReturnState.DECLINED,
        ReturnState.EXPIRED,
        ReturnState.CANCELLED,
    ),
}
"""The tabs of the returns desk, and the states that stand in each."""


def returns_matching(
    scope: Scope,
    *,
    tab: str = "",
    node_ids: Collection[int] | None = None,
    order_id: UUID | None = None,
) -> QuerySet[Return]:
    """Returns within the scope with what a list shows, the latest first."""
    found: QuerySet[Return] = Return.objects.for_scope(scope).at_nodes(node_ids)
    if tab:
        found = found.filter(state__in=TABS.get(tab, (tab,)))
    if order_id is not None:
        found = found.filter(order_id=order_id)
    return (
        found.select_related("order", "node")
        .prefetch_related(Prefetch("lines", _lines()))
        .order_by("-pk")
    )


def counts(scope: Scope, *, node_ids: Collection[int] | None = None) -> dict[str, int]:
    """Open returns per tab of the desk. One statement over a partial index."""
    rows = (
        Return.objects.for_scope(scope)
        .at_nodes(node_ids)
        .filter(state__in=OPEN_RETURN)
        .values_list("state")
        .annotate(number=Count("pk"))
    )
    by_state = dict(rows)
    return {
        tab: sum(by_state.get(state, 0) for state in states)
        for tab, states in TABS.items()
        if tab != "done"
    }


@dataclass(frozen=True, slots=True)
class ReturnPage:
    """A return with everything that belongs to it."""

    returned: Return
    lines: tuple[ReturnLine, ...]
    receipts: tuple[Receipt, ...]
    inspections: tuple[Inspection, ...]
    photos: tuple[ReturnPhoto, ...]


def return_page(
    return_id: UUID, scope: Scope, *, node_ids: Collection[int] | None = None
) -> ReturnPage:
    """One return. Raises NotFound outside the scope and the nodes. Six statements."""
    found = returns_matching(scope, node_ids=node_ids).filter(pk=return_id).first()
    if found is None:
        raise NotFound("There is no such return.")
    receipts = Receipt.objects.for_scope(scope).filter(returned_id=return_id)
    inspections = Inspection.objects.for_scope(scope).filter(line__returned_id=return_id)
    photos = ReturnPhoto.objects.for_scope(scope).filter(line__returned_id=return_id)
    return ReturnPage(
        found,
        tuple(found.lines.all()),
        tuple(receipts.select_related("node").prefetch_related("lines").order_by("pk")),
        tuple(inspections.select_related("line").order_by("pk")),
        tuple(photos.order_by("pk")),
    )


def returns_of(order_ids: Collection[UUID]) -> dict[UUID, list[Return]]:
    """The returns of each order with their lines, oldest first. Two statements."""
    found: dict[UUID, list[Return]] = {order_id: [] for order_id in order_ids}
    rows = Return.objects.for_scope(ALL_ACCOUNTS).of_orders(order_ids)
    for row in rows.prefetch_related(Prefetch("lines", _lines())).order_by("pk"):
        found[row.order_id].append(row)
    return found


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scanned code may mean at a returns desk."""

    returns: tuple[Return, ...]
    order_ids: tuple[UUID, ...] = ()
    sku_ids: tuple[int, ...] = ()


def by_scan(code: str, scope: Scope, *, node_ids: Collection[int] | None = None) -> Scanned:
    """What a code names: a return (its number, its label), an order without a return, or a SKU.

    Returns come first, those that are still open before the others; with one of those, orders and
    SKUs are not looked for.
    """
    wanted = code.strip()
    if not wanted:
        return Scanned(())
    rows = (
        returns_matching(scope, node_ids=node_ids)
        .filter(Q(number=wanted.upper()) | Q(tracking_number=wanted) | Q(external_id=wanted))
        .order_by("-pk")[:20]
    )
    found = sorted(rows, key=lambda row: row.state not in OPEN_RETURN)
    if found:
        return Scanned(tuple(found))
    if sku_ids := skus_by_scan(wanted, scope):
        return Scanned((), (), tuple(sku_ids))
    order_ids = orders_by_tracking(wanted, scope) or search(scope, wanted, limit=20)
    if not order_ids:
        return Scanned(())
    own = returns_matching(scope, node_ids=node_ids).filter(order_id__in=order_ids)
    return Scanned(tuple(own[:20]), tuple(dict.fromkeys(order_ids)))


def returnable(order_id: UUID, *, at: datetime, scope: Scope = ALL_ACCOUNTS) -> Returnable:
    """What of an order may come back now, in words a buyer understands. Raises NotFound.

    Each line is judged for a change of mind: for a fault a person may decide otherwise.
    """
    facts = facts_of([order_id]).get(order_id)
    if facts is None or not scope.allows(facts.account_id):
        raise NotFound("There is no such order.")
    mildest = facts.terms.reasons[0].code
    lines = []
    for line in facts.lines.values():
        units = facts.returnable(line.line_id)
        asked = facts.asked(RequestedUnits(line.line_id, max(units, 1), mildest))
        said = policy.judge_line(facts.terms, asked, at=at)
        lines.append(
            ReturnableLine(
                line.line_id,
                line.title,
                line.sku_code,
                line.delivered,
                units,
                facts.delivered_at.get(line.line_id),
                said.decision,
                said.words,
            )
        )
    some = any(line.returnable and line.decision != Decision.REFUSE for line in lines)
    words = (
        f"Goods may come back within {facts.terms.window_days} days of delivery"
        f"{', ' + facts.terms.condition if facts.terms.condition else ''}."
        if some
        else "Nothing of this order can come back now."
    )
    return Returnable(order_id, tuple(lines), facts.terms.reasons, facts.terms.condition, words)


def quote(request: ReturnRequest, scope: Scope, *, at: datetime) -> Quote:
    """What the request would meet: the verdict, and what would be paid for all of it.

    Raises NotFound for an order beyond the scope.
    """
    facts = facts_of([request.order_id]).get(request.order_id)
    if facts is None or not scope.allows(facts.account_id):
        raise NotFound("There is no such order.")
    verdict = policy.judge(facts.terms, [facts.asked(units) for units in request.lines], at=at)
    if verdict.decision == Decision.REFUSE and not request.override:
        return Quote(verdict, (), 0, facts.currency)
    units: dict[UUID, int] = {}
    for line in request.lines:
        units[line.order_line_id] = units.get(line.order_line_id, 0) + line.quantity
    parts = quote_credit(
        CreditRequest(
            request.order_id,
            "quote",
            request.order_id,
            tuple(CreditedUnits(line_id, quantity) for line_id, quantity in units.items()),
            shipping_minor=None if verdict.refunds_shipping else 0,
            fee_minor=verdict.fee_minor,
        ),
        scope,
    )
    return Quote(verdict, parts, total_of(parts), facts.currency)


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What a return would give back now, part by part; `why_not` says why nothing can be said.

    `assumed` says that not everything was graded yet, and the rest is taken to be accepted.
    """

    parts: tuple[CreditedPart, ...] = ()
    amount_minor: int = 0
    assumed: bool = False
    why_not: str = ""


def refund_preview(found: ReturnPage, scope: Scope) -> RefundPreview:
    """What is to be given back for what was accepted, or will be if all that is awaited comes well."""
    returned = found.returned
    if returned.order_id is None:
        return RefundPreview(why_not="Nobody knows whose goods these are.")
    if returned.state not in OPEN_RETURN:
        return RefundPreview()
    graded = returned.state == ReturnState.INSPECTED
    room = {line.line_id: line.creditable for line in creditable_lines([returned.order_id], scope)}
    units: dict[UUID, int] = {}
    for line in found.lines:
        if line.order_line_id is None:
            continue
        whole = line.accepted if graded else max(line.requested, line.received) - line.rejected
        left = room.get(line.order_line_id, 0) - units.get(line.order_line_id, 0)
        if (due := min(whole - line.refunded, left)) > 0:
            units[line.order_line_id] = units.get(line.order_line_id, 0) + due
    if not units:
        return RefundPreview(assumed=not graded)
    request = CreditRequest(
        returned.order_id,
        "preview",
        returned.pk,
        tuple(CreditedUnits(line_id, quantity) for line_id, quantity in units.items()),
        shipping_minor=None if returned.refunds_shipping and not returned.credits else 0,
        fee_minor=0 if returned.credits else returned.fee_minor,
    )
    try:
        parts = quote_credit(request, scope)
    except DomainError as refusal:
        return RefundPreview(assumed=not graded, why_not=refusal.detail)
    return RefundPreview(parts, total_of(parts), assumed=not graded)


def label_document(return_id: UUID, scope: Scope) -> tuple[bytes, str] | None:
    """The latest label of a return: (document, media type); None when there is none to be read."""
    row = (
        ReturnLabel.objects.for_scope(scope)
        .filter(returned_id=return_id)
        .order_by("-bought_at")
        .first()
    )
    if row is None:
        return None
    try:
        opened = vault.open_(row.sealed_with, row.document)
    except vault.Erased:
        return None
    return base64.b64decode(opened["document"]), row.media_type


def label_keys(order_ids: Sequence[UUID]) -> set[UUID]:
    """The subject keys with which the return labels of these orders are sealed."""
    rows = ReturnLabel.objects.for_scope(ALL_ACCOUNTS).filter(
        returned__order_id__in=list(order_ids)
    )
    return set(rows.values_list("sealed_with", flat=True))


def claims_matching(
    scope: Scope, *, state: str = "", order_id: UUID | None = None
) -> QuerySet[Claim]:
    """Claims within the scope with their lines, the latest first."""
    found: QuerySet[Claim] = Claim.objects.for_scope(scope)
    if state:
        found = found.filter(state=state)
    if order_id is not None:
        found = found.filter(order_id=order_id)
    lines = ClaimLine.objects.for_scope(ALL_ACCOUNTS).select_related("order_line").order_by("pk")
    return found.select_related("order").prefetch_related(Prefetch("lines", lines)).order_by("-pk")


def claim(claim_id: UUID, scope: Scope) -> Claim:
    """One claim. Raises NotFound outside the scope."""
    found = claims_matching(scope).filter(pk=claim_id).first()
    if found is None:
        raise NotFound("There is no such claim.")
    return found


def _lines() -> QuerySet[ReturnLine]:
    found: QuerySet[ReturnLine] = (
        ReturnLine.objects.for_scope(ALL_ACCOUNTS)
        .select_related("sku", "order_line")
        .order_by("returned_id", "position")
    )
    return found


@dataclass(frozen=True, slots=True)
class ReturnAtHand:
    """A return by the number of its label."""

    return_id: UUID
    order_id: UUID


def returns_numbered(
    account_id: UUID, tracking_numbers: Collection[str]
) -> dict[str, ReturnAtHand]:
    """The account's youngest return under each of the tracking numbers."""
    rows = Return.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id,
        tracking_number__in=[number for number in tracking_numbers if number],
        order__isnull=False,
    )
    return {
        number: ReturnAtHand(pk, order_id)
        for number, pk, order_id in rows.order_by("pk").values_list(
            "tracking_number", "pk", "order_id"
        )
    }


def labels_to_ask_about(
    account_id: UUID, carrier_code: str, *, after: UUID | None, limit: int
) -> list[tuple[UUID, str]]:
    """(id, tracking number) of returns that wait for their first scan by the carrier, by id."""
    rows = Return.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, carrier_code=carrier_code, state=ReturnState.AUTHORIZED
    )
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = rows.exclude(tracking_number="").order_by("pk")
    return list(found.values_list("pk", "tracking_number")[:limit])
