"""Why this node, and why not that one, in plain English."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from routing.engine.record import Record, RecordedCandidate, RecordedParcel, compact, expand
from routing.engine.results import CostParts, Kind, Level, Plan, SplitCause, UnfilledReason, Verdict
from routing.engine.types import PICKUP, Constraint, Precision
from routing.engine.usable import AT_LEAST, BY_SERVICE, OFFERED_NO_MORE

# ISO 4217 exponents that are not 2, for the currencies in circulation.
EXPONENTS = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

SPLITS = {
    SplitCause.NO_NODE_HOLDS_ALL: "no node has everything in stock",
    SplitCause.SHORT_OR_REJECT: "the node that would have everything could not supply an item",
    SplitCause.SHIP_FROM_RULE: "the nodes with everything in stock may not ship it",
    SplitCause.CAPACITY: "the node with everything in stock has reached its limit",
    SplitCause.BACKORDER: "the rest waits for stock",
    SplitCause.BUYERS_CHOICE: "the nodes with everything in stock would be late for the buyer",
    SplitCause.CHEAPER: "that is better by the policy than one parcel",
}

UNFILLED = {
    UnfilledReason.NO_STOCK: "there is not enough stock",
    UnfilledReason.UNREACHABLE: "the stock is at nodes that may not ship it",
    UnfilledReason.MAX_PARCELS: "it would take one parcel too many",
    UnfilledReason.LINE_SPLIT: "one item may not be split over that many nodes",
    UnfilledReason.WITH_PARENT: "it must leave together with the item it belongs to",
    UnfilledReason.SHIP_COMPLETE: "the order ships complete or not at all",
    UnfilledReason.COSTS_MORE: "shipping it costs more than leaving it",
}

RELAXED = {
    Constraint.MAX_KM: "the distance limit",
    Constraint.ON_TIME: "on-time delivery",
    Constraint.MAX_NODES: "the limit of parcels",
    Constraint.NODES: "the choice of nodes",
}

COARSE = {
    Precision.AREA: "Of the destination only the postal area is known, so distances are rough.",
    Precision.REGION: "Of the destination only the region is known, so distances are rough.",
    Precision.COUNTRY: "Of the destination only the country is known: its center stands for it.",
    Precision.UNKNOWN: "Where the destination lies is not known, so distance decided nothing.",
}

PARTS = {
    "freight": "freight",
    "handling": "handling",
    "picking": "picking",
    "unfilled": "unfilled units",
    "split": "the split penalty",
    "distance": "distance",
    "lateness": "lateness",
    "stock": "what the units are worth to later orders",
    "capacity": "scarce capacity",
    "carbon": "carbon dioxide",
    "rerouting": "expected rejections",
    "supplier": "the supplier's price above our own",
    "waiting": "days of waiting",
}

HOW = {
    Kind.SAME_DAY: "by courier on the same day",
    Kind.DROP_SHIP: "as the supplier of its own goods",
    Kind.TO_STORE: "to the store where the buyer collects",
    Kind.AT_STORE: "on its own counter",
}

GOODS = {
    "hazmat": "dangerous goods",
    "cold_chain": "chilled or frozen goods",
    "oversize": "oversize goods",
    "age_check": "goods for adults",
}
"""What asks for a capability."""

DECIDED = {
    Level.STALE: "The price book was out of date, so its prices counted for less.",
    Level.JOINT: "It was planned together with the other open orders.",
    Level.RULE: "No plan could be worked out in time: the nearest node that has everything ships.",
}

Recorded = Plan | Record | Mapping[str, Any]
Fate = Callable[[Record, RecordedCandidate], str]


def why_here(decision: Recorded) -> list[str]:
    """Sentences: who ships what and why, when and for how much, who came second, what was given up."""
    record = _record(decision)
    if not record.parcels:
        sentences = [f"No node {_ships(record)} this order."]
    elif len(record.parcels) == 1:
        sentences = [_one_parcel(record)]
    else:
        sentences = [_parcels(record)]
    sentences += [_moves(record, parcel) for parcel in record.parcels if parcel.ship_by]
    if record.parcels:
        sentences += _spent(record)
    sentences += _left_unfilled(record)
    if record.relaxed:
        given_up = _listed([RELAXED[Constraint(code)] for code in record.relaxed])
        sentences.append(f"Nothing else was possible within the rules, so {given_up} was relaxed.")
    if record.runner_up:
        sentences.append(_second(record))
    if record.destination.precision in COARSE:
        sentences.append(COARSE[record.destination.precision])
    if record.level in DECIDED:
        sentences.append(DECIDED[Level(record.level)])
    if record.gap:
        sentences.append(
            f"The search was cut short: a better plan could save at most {record.gap:.1%}."
        )
    return sentences


def why_not(decision: Recorded, node_code: str) -> str:
    """What became of one node. Raises KeyError for a node that was not a candidate."""
    record = _record(decision)
    row = next((row for row in record.candidates if row.code == node_code), None)
    if row is None:
        raise KeyError(node_code)
    return _FATES[Verdict(row.verdict)](record, row)


def all_verdicts(decision: Recorded) -> list[tuple[str, Verdict, str]]:
    """What became of every node: its code, its verdict and a sentence."""
    record = _record(decision)
    return [
        (row.code, Verdict(row.verdict), _FATES[Verdict(row.verdict)](record, row))
        for row in record.candidates
    ]


def money(minor: int, currency: str) -> str:
    """An amount as a person writes it: $1.10, ¥900, 12.30 CAD."""
    exponent = EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**exponent)
    digits = f"{whole:,}" + (f".{rest:0{exponent}}" if exponent else "")
    sign = "-" if minor < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}"


def _record(decision: Recorded) -> Record:
    if isinstance(decision, Record):
        return decision
    return expand(compact(decision) if isinstance(decision, Plan) else decision)


def _ships(record: Record) -> str:
    return "hands over" if record.service == PICKUP else "ships"


def _one_parcel(record: Record) -> str:
    (parcel,) = record.parcels
    sentence = f"{record.name(parcel.code)} {_ships(record)} {_what(record, parcel)}"
    if record.moved:
        return f"{sentence}: moved there by {record.moved}."
    if any(row.verdict == Verdict.PINNED_ELSEWHERE for row in record.candidates):
        pinned = (
            "where the buyer collects it" if record.service == PICKUP else "pinned to this node"
        )
        return f"{sentence}: {pinned}."
    wanted = tuple(line.quantity for line in record.lines)
    rivals = [row for row in record.candidates if row.alone and row.available == wanted]
    if any(line.unfilled for line in record.lines) or len(record.candidates) == 1:
        return f"{sentence}."
    if len(rivals) == 1:
        return f"{sentence}: the only node with everything in stock."
    return f"{sentence}: the best of {_number(len(rivals))} nodes with everything in stock."


def _parcels(record: Record) -> str:
    parts = [f"{record.name(p.code)} {_ships(record)} {_what(record, p)}" for p in record.parcels]
    cause = SPLITS[SplitCause(record.split_cause)] if record.split_cause else ""
    tail = f", because {cause}" if cause else ""
    return f"{_listed(parts)}: {_number(len(parts))} parcels{tail}."


def _moves(record: Record, parcel: RecordedParcel) -> str:
    """When a parcel leaves and arrives, or when a pickup is ready."""
    leaves = datetime.fromisoformat(parcel.ship_by)
    when = f"by {_day(leaves)} {leaves:%H:%M} UTC"
    if record.service == PICKUP:
        return f"It is ready {when}."
    only = len(record.parcels) == 1
    said = f"{'It' if only else f'The parcel from {record.name(parcel.code)}'} leaves {when}"
    if not parcel.p50 or not parcel.p90:
        return f"{said}."
    usual, latest = date.fromisoformat(parcel.p50), date.fromisoformat(parcel.p90)
    until = f" to {_day(latest)}" if latest != usual else ""
    return f"{said} and arrives {_day(usual)}{until}."


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _spent(record: Record) -> list[str]:
    cost, currency = record.cost, record.currency
    parts = [
        f"{money(part, currency)} {name}"
        for name, part in (
            ("freight", cost.freight),
            ("handling", cost.handling),
            ("picking", cost.picking),
            ("the supplier's price above our own", cost.supplier),
        )
        if part
    ]
    if not parts:
        return []
    if len(parts) == 1:
        return [f"Expected cost: {parts[0]}."]
    total = money(cost.true_cost - cost.unfilled, currency)
    return [f"Expected cost: {total}, of which {_listed(parts)}."]


def _what(record: Record, parcel: RecordedParcel) -> str:
    lines = list(zip(record.lines, parcel.units, strict=True))
    if all(units == line.quantity for line, units in lines):
        count = sum(parcel.units)
        if count == 1:
            return "the item"
        return "both items" if count == 2 else f"all {_number(count)} items"
    return _listed(
        [
            line.label or line.key
            if units == line.quantity == 1
            else f"{units} of {line.quantity} {line.label or line.key}"
            if units < line.quantity
            else f"{units} × {line.label or line.key}"
            for line, units in lines
            if units
        ]
    )


def _left_unfilled(record: Record) -> list[str]:
    return [
        f"{line.unfilled} of {line.quantity} {_units(line.quantity)} of {line.label or line.key} "
        f"{'is' if line.unfilled == 1 else 'are'} left unfilled: "
        f"{UNFILLED[UnfilledReason(line.reason)]}."
        for line in record.lines
        if line.unfilled
    ]


def _second(record: Record) -> str:
    if record.runner_up is None:
        return ""
    unfilled, difference = record.runner_up.unfilled, record.runner_up.difference
    names = _listed([record.name(code) for code in record.runner_up.codes])
    if unfilled > sum(line.unfilled for line in record.lines):
        return f"Next best: {names}, leaving {unfilled} {_units(unfilled)} unfilled."
    if not difference:
        return f"Next best: {names}, at the same cost."
    return f"Next best: {names}, {money(difference, record.currency)} more."


def _chosen(record: Record, row: RecordedCandidate) -> str:
    parcel = next(parcel for parcel in record.parcels if parcel.code == row.code)
    how = _how(row)
    return f"{row.name} was chosen: it {_ships(record)} {_what(record, parcel)}{how}{_reach(row)}."


def _how(row: RecordedCandidate) -> str:
    """How the goods get to the buyer, where that is not simply by parcel."""
    if row.kind not in HOW:
        return ""
    lead = f", ready after {_number(row.lead_days)} working days" if row.lead_days > 1 else ""
    if row.lead_days == 1:
        lead = ", ready after one working day"
    return f" {HOW[Kind(row.kind)]}{lead}"


def _costs_more(record: Record, row: RecordedCandidate) -> str:
    if row.alone is None:
        return f"{row.name} lost: it costs more."
    difference = row.alone.score - record.cost.score
    if not difference:
        return (
            f"{row.name} would cost the same{_reach(row)}; it stands later in the order of nodes."
        )
    more = money(difference, record.currency)
    weighed = _weighed(record, row.alone)
    if weighed:
        return f"{row.name} would score {more} worse{_reach(row)}: {weighed}."
    return f"{row.name} would cost {more} more{_reach(row)}{_asked(record, row.alone)}."


def _asked(record: Record, alone: CostParts) -> str:
    """What a drop-ship supplier's price has to do with it."""
    if alone.supplier <= 0:
        return ""
    return f": the supplier asks {money(alone.supplier, record.currency)} above our own cost"


def _weighed(record: Record, alone: CostParts) -> str:
    """The parts that differ, when the policy weighs more than true cost."""
    if alone.score - record.cost.score == alone.true_cost - record.cost.true_cost:
        return ""
    parts = []
    for name, label in PARTS.items():
        difference = getattr(alone, name) - getattr(record.cost, name)
        if difference:
            word = "more" if difference > 0 else "less"
            parts.append(f"{money(abs(difference), record.currency)} {word} for {label}")
    return _listed(parts)


def _part_stock(record: Record, row: RecordedCandidate) -> str:
    missing = [
        f"{has or 'none'} of {line.quantity} {_units(line.quantity)} of {line.label or line.key}"
        for line, has in zip(record.lines, row.available, strict=True)
        if has < line.quantity
    ]
    return f"{row.name} lost: it has {_listed(missing)}."


def _dominated(record: Record, row: RecordedCandidate) -> str:
    ruler = record.name(row.dominated_by)
    return f"{row.name} lost: {ruler} has as much of this order and costs no more."


def _too_far(_: Record, row: RecordedCandidate) -> str:
    return f"{row.name} is too far away{_reach(row)}."


def _late(_: Record, row: RecordedCandidate) -> str:
    when = f" (by {row.p90}{_reach(row, ', ')})" if row.p90 else ""
    return f"{row.name} would deliver too late{when}."


def _no_service(record: Record, row: RecordedCandidate) -> str:
    if row.reason == "no_lane":
        return f"{row.name} has no {record.service} rate for this distance."
    if row.reason == "no_departure":
        return f"{row.name} has no {record.service} departure in its calendar."
    return f"{row.name} does not offer {record.service}."


def _closed(record: Record, row: RecordedCandidate) -> str:
    reason = f" ({row.reason.replace('_', ' ')})" if row.reason else ""
    return f"{row.name} {_ships(record)} nothing now{reason}."


def _unable(record: Record, row: RecordedCandidate) -> str:
    who, codes = row.name, row.reason
    if codes == OFFERED_NO_MORE:
        return f"{row.name} has it and offers it no longer."
    if codes.startswith(AT_LEAST):
        return (
            f"{row.name} has it and takes orders of {codes.removeprefix(AT_LEAST)} units or more."
        )
    if codes.startswith(BY_SERVICE):
        who, codes = f"{row.name} has it, but {record.service}", codes.removeprefix(BY_SERVICE)
        return f"{who} does not carry {_listed([GOODS.get(c, c) for c in codes.split(',')])}."
    goods = _listed([GOODS.get(code, code) for code in codes.split(",")])
    return f"{who} has it and may not {_ship(record)} {goods}."


def _ship(record: Record) -> str:
    return "hand over" if record.service == PICKUP else "ship"


def _pinned(record: Record, row: RecordedCandidate) -> str:
    if record.service == PICKUP:
        return f"{row.name} is not where the buyer collects the order."
    return f"{row.name} was passed over: the order is pinned to another node."


def _fixed(text: str) -> Fate:
    return lambda _, row: f"{row.name} {text}."


def _reach(row: RecordedCandidate, opening: str = " (") -> str:
    if row.km is None:
        return ""
    return f"{opening}zone {row.zone}, {row.km:,} km" + (")" if opening == " (" else "")


def _units(count: int) -> str:
    return "unit" if count == 1 else "units"


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


_FATES: dict[Verdict, Fate] = {
    Verdict.CHOSEN: _chosen,
    Verdict.COSTS_MORE: _costs_more,
    Verdict.NO_STOCK: _fixed("has none of this order in stock"),
    Verdict.PART_STOCK: _part_stock,
    Verdict.EXCLUDED: _fixed("is excluded: it was short or rejected this order"),
    Verdict.NODE_CLOSED: _closed,
    Verdict.NODE_PAUSED: _fixed("is paused"),
    Verdict.CAPACITY: _fixed("is full: the limit of its window is reached"),
    Verdict.NO_SERVICE: _no_service,
    Verdict.NOT_IN_NETWORK: _fixed("is not in the network of this channel"),
    Verdict.RULED_OUT: _fixed("is ruled out by the policy for such orders"),
    Verdict.UNABLE: _unable,
    Verdict.PINNED_ELSEWHERE: _pinned,
    Verdict.TOO_FAR: _too_far,
    Verdict.LATE: _late,
    Verdict.DOMINATED: _dominated,
}
