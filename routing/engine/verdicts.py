"""What to say of every node, every split and every unit that found no node."""

from collections.abc import Iterator, Sequence
from operator import ge
from typing import overload

from routing.engine.choosing import Choice, Question
from routing.engine.results import Candidate, CostParts, SplitCause, UnfilledReason, Verdict
from routing.engine.screening import Offer
from routing.engine.types import Line

RULES = (
    Verdict.NOT_IN_NETWORK,
    Verdict.RULED_OUT,
    Verdict.TOO_FAR,
    Verdict.NO_SERVICE,
    Verdict.NODE_CLOSED,
    Verdict.NODE_PAUSED,
    Verdict.UNABLE,
)


class Verdicts(Sequence[Candidate]):
    """One candidate per node, in the order of the offers; worked out for whoever asks first.

    Plans of a second try, quotes and what simulations play are asked by nobody.
    """

    __slots__ = ("_basis", "_rows")

    def __init__(self, question: Question, choice: Choice) -> None:
        self._basis: tuple[Question, Choice] | None = (question, choice)
        self._rows: tuple[Candidate, ...] = ()

    @property
    def rows(self) -> tuple[Candidate, ...]:
        basis = self._basis
        if basis is not None:
            self._rows = candidates(*basis)
            self._basis = None
        return self._rows

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, place: int | slice) -> Candidate | tuple[Candidate, ...]:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.rows)

    def __eq__(self, other: object) -> bool:
        return self.rows == (other.rows if isinstance(other, Verdicts) else other)

    def __hash__(self) -> int:
        return hash(self.rows)

    def __repr__(self) -> str:
        return repr(self.rows)


def candidates(question: Question, choice: Choice) -> tuple[Candidate, ...]:
    """One per node, in the order of the offers."""
    considered, opened = frozenset(question.candidates), frozenset(choice.opened)
    chosen = [question.offers[place] for place in choice.opened]
    lines = question.demand.lines
    wanted = tuple([line.quantity for line in lines])
    unfilled = sum([line.unfilled_cost * line.quantity for line in lines])
    rows = []
    for place, offer in enumerate(question.offers):
        verdict, ruler, node = offer.barred, "", offer.node
        if place in opened:
            verdict = Verdict.CHOSEN
        elif verdict is None or place in considered:
            priced = bool(question.prices or question.surcharges)
            verdict, ruler = _lost(offer, chosen, wanted, priced=priced)
        if offer.zone is None:
            rows.append(
                Candidate(
                    node.id, node.code, node.name, verdict, offer.available, reason=offer.reason
                )
            )
            continue
        rows.append(
            Candidate(
                node.id,
                node.code,
                node.name,
                verdict,
                offer.available,
                offer.km,
                offer.zone_number,
                offer.p90,
                offer.reason,
                ruler,
                alone_cost(question, place, offer, unfilled) if offer.departs is not None else None,
                offer.kind,
                node.partner.lead_days if node.partner is not None else 0,
            )
        )
    return tuple(rows)


def alone_cost(question: Question, place: int, offer: Offer, unfilled: int) -> CostParts:
    """What it costs to ship all that this node has of the demand, and nothing else."""
    units = grams = stock = supplier = 0
    for line, quantity, billed in zip(
        question.demand.lines, offer.available, question.grams, strict=True
    ):
        if quantity:
            units += quantity
            grams += quantity * billed
            unfilled -= quantity * line.unfilled_cost
            if question.prices:
                stock += quantity * question.prices[line.sku][place]
            if line.sku in question.surcharges:
                supplier += quantity * question.surcharges[line.sku][place]
    return offer.parcel(question.policy.weights, units, grams, unfilled, stock, supplier)


def _lost(
    offer: Offer, chosen: Sequence[Offer], wanted: tuple[int, ...], *, priced: bool
) -> tuple[Verdict, str]:
    """Why a node that was allowed was not taken, and the chosen node that rules it out.

    Where units have prices a node that has as much rules nothing out.
    """
    if offer.barred is not None:
        return offer.barred, ""
    if offer.available == wanted:
        return Verdict.COSTS_MORE, ""
    if len(chosen) > 1 and not priced:
        for other in chosen:
            if (
                other.opening <= offer.opening
                and other.pick <= offer.pick
                and other.gram <= offer.gram
                and all(map(ge, other.available, offer.available))
            ):
                return Verdict.DOMINATED, other.node.code
    return Verdict.PART_STOCK, ""


def split_cause(question: Question, choice: Choice, missing: Sequence[int]) -> SplitCause | None:
    """Why the chosen parcels are not one parcel from one node that has all they hold.

    One parcel that leaves units waiting is half of a split: another follows. What only comes along
    (a gift, a wrap) is not waited for.
    """
    lines = question.demand.lines
    if len(choice.opened) < 2:
        waits = any(left and line.parent is None for line, left in zip(lines, missing, strict=True))
        return SplitCause.BACKORDER if choice.opened and waits else None
    shipped = [line.quantity - left for line, left in zip(lines, missing, strict=True)]
    whole = [offer for offer in question.offers if all(map(ge, offer.available, shipped))]
    if any(offer.barred is None or offer.soft is not None for offer in whole):
        return SplitCause.CHEAPER
    if _short_or_rejected(question, shipped) or any(
        offer.barred is Verdict.EXCLUDED for offer in whole
    ):
        return SplitCause.SHORT_OR_REJECT
    if any(offer.barred is Verdict.LATE for offer in whole):
        return SplitCause.BUYERS_CHOICE
    full = any(offer.barred is Verdict.CAPACITY for offer in whole)
    if full or any(offer.barred in RULES for offer in whole) or _unable_to_send(question, shipped):
        return SplitCause.CAPACITY if full else SplitCause.SHIP_FROM_RULE
    return SplitCause.NO_NODE_HOLDS_ALL


def _short_or_rejected(question: Question, shipped: Sequence[int]) -> bool:
    """Whether a node would hold all if a short or a rejection did not take a SKU from it."""
    excluded = question.demand.excluded
    if not excluded:
        return False
    return any(
        offer.barred is None
        and all(
            has >= need or (offer.node.id, line.sku) in excluded
            for line, has, need in zip(question.demand.lines, offer.available, shipped, strict=True)
        )
        for offer in question.offers
    )


def _unable_to_send(question: Question, shipped: Sequence[int]) -> bool:
    """Whether a node would hold all if it were allowed to send such goods."""
    lines = question.demand.lines
    return bool(question.unable) and any(
        all(
            max(has, question.unable[line.sku][place] if line.sku in question.unable else 0) >= need
            for line, has, need in zip(lines, offer.available, shipped, strict=True)
        )
        for place, offer in enumerate(question.offers)
    )


def unfilled_reason(question: Question, choice: Choice, place: int) -> UnfilledReason:
    """Why units of the line at this index were given to no node."""
    line = question.demand.lines[place]
    policy = question.policy
    need = sum(other.quantity for other in question.demand.lines if other.sku == line.sku)
    units = question.usable[line.sku]
    reachable = sum(units[p] for p in question.candidates)
    if reachable < need:
        there = sum(question.unable.get(line.sku, units))
        return UnfilledReason.UNREACHABLE if there >= need else UnfilledReason.NO_STOCK
    if choice.shortfall:
        return UnfilledReason.SHIP_COMPLETE
    if line.parent is not None or _has_dependents(question.demand.lines, line):
        return UnfilledReason.WITH_PARENT
    most = policy.max_nodes_per_line
    if most is not None and most < len(question.candidates) and len(choice.opened) >= most:
        largest = sorted((units[p] for p in question.candidates), reverse=True)
        if sum(largest[:most]) < need:
            return UnfilledReason.LINE_SPLIT
    if len(choice.opened) >= question.max_open:
        return UnfilledReason.MAX_PARCELS
    return UnfilledReason.COSTS_MORE


def _has_dependents(lines: Sequence[Line], line: Line) -> bool:
    return any(other.parent == line.key for other in lines)
