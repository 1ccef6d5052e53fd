"""A plan in a few hundred bytes: `compact` is what a decision stores, `expand` reads it back.

Only codes and numbers are kept, so that the words made from them can be bettered later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.engine.results import Candidate, CostParts, Level, Plan, Verdict
from routing.engine.types import Place, Precision

VERSION = 1

AREA_DIGITS = 3
"""Of the destination's postal code, what is kept: an area, not a street."""

SCORE = CostParts._fields.index("score")
"""Where the score stands in a cost; in a record it comes first."""

REASON = 8
"""Where the reason stands in a stored candidate."""

SHORT = {Verdict.NO_STOCK, Verdict.NOT_IN_NETWORK, Verdict.PINNED_ELSEWHERE}
"""Verdicts that say all there is to say: such candidates are kept as a list of names."""


@dataclass(frozen=True, slots=True)
class RecordedPlace:
    """What the choice rested on of the destination: never a street, never a name."""

    country: str
    region: str
    area: str
    precision: Precision


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line and how many of its units found no node, and why."""

    key: str
    label: str
    quantity: int
    unfilled: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecordedCandidate:
    """A node's verdict as stored. `alone` is None where the node was not allowed to ship.

    `kind` and `lead_days` as of a candidate.
    """

    code: str
    name: str
    verdict: str
    available: tuple[int, ...]
    km: int | None
    zone: int | None
    p90: str
    reason: str
    dominated_by: str
    alone: CostParts | None
    kind: str = ""
    lead_days: int = 0


@dataclass(frozen=True, slots=True)
class RecordedParcel:
    """One parcel as stored: units per line, invoice, and its dates in ISO 8601."""

    code: str
    units: tuple[int, ...]
    cost: CostParts
    ship_by: str
    p50: str
    p90: str


@dataclass(frozen=True, slots=True)
class RecordedAlternative:
    """The runner-up: its nodes by code, its score less the winner's, and what it leaves unfilled."""

    codes: tuple[str, ...]
    difference: int
    unfilled: int


@dataclass(frozen=True, slots=True)
class Record:
    """A decision read back. `moved` is who chose the node instead, and why."""

    policy: str
    version: int
    service: str
    currency: str
    destination: RecordedPlace
    lines: tuple[RecordedLine, ...]
    candidates: tuple[RecordedCandidate, ...]
    parcels: tuple[RecordedParcel, ...]
    cost: CostParts
    runner_up: RecordedAlternative | None
    split_cause: str
    relaxed: tuple[str, ...]
    gap: float
    moved: str = ""
    level: str = Level.EXACT
    book: str = ""

    def name(self, code: str) -> str:
        return next((row.name for row in self.candidates if row.code == code), code)


SAID = {Level.JOINT, Level.RULE}
"""Levels that are stored even where no price book was used."""


def compact(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values with short keys. Empty values are left out."""
    codes = {row.node: row.code for row in plan.candidates}
    given = {(row.node, row.line): row.quantity for row in plan.assignments}
    short: dict[str, list[Any]] = {}
    full: list[list[Any]] = []
    for row in plan.candidates:
        if row.verdict in SHORT:
            name = row.code if row.name == row.code else [row.code, row.name]
            short.setdefault(row.verdict, []).append(name)
        else:
            full.append(_stored_candidate(row))
    record: dict[str, Any] = {
        "v": VERSION,
        "p": [plan.policy, plan.version, plan.demand.service, plan.currency],
        "d": _stored_place(plan.demand.destination),
        "l": _stored_lines(plan),
        "c": full,
        "x": short,
        "s": [
            [
                codes[parcel.node],
                [given.get((parcel.node, line.key), 0) for line in plan.demand.lines],
                _costs(parcel.cost),
                parcel.ship_by.isoformat(timespec="minutes") if parcel.ship_by else "",
                parcel.deliver_p50.isoformat() if parcel.deliver_p50 else "",
                parcel.deliver_p90.isoformat() if parcel.deliver_p90 else "",
            ]
            for parcel in plan.parcels
        ],
        "t": _costs(plan.cost),
        "why": plan.split_cause or "",
        "soft": list(plan.relaxed),
        "gap": plan.gap,
        "b": [plan.level.value, plan.book] if plan.book or plan.level in SAID else (),
    }
    if plan.runner_up:
        other = plan.runner_up
        record["r"] = [list(other.nodes), other.difference, other.unfilled_units]
    return {key: value for key, value in record.items() if value}


def verdicts_of(stored: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Of each node its code, its verdict and the reason of that, by code."""
    found = [
        (row[0], row[2], row[REASON] if len(row) > REASON else "") for row in stored.get("c", ())
    ]
    for verdict, names in stored.get("x", {}).items():
        found += [(name if isinstance(name, str) else name[0], verdict, "") for name in names]
    return sorted(found)


def expand(stored: Mapping[str, Any], *, nodes: bool = True) -> Record:
    """What `compact` stored. Raises ValueError for a version that this code does not know.

    Whoever needs no word of the nodes leaves them out: they are most of it.
    """
    if stored.get("v") != VERSION:
        message = f"decision record version {stored.get('v')!r} is unknown"
        raise ValueError(message)
    policy, version, service, currency = stored["p"]
    candidates = [_candidate(row) for row in stored.get("c", ())] if nodes else []
    for verdict, names in stored.get("x", {}).items() if nodes else ():
        for entry in names:
            code, name = (entry, entry) if isinstance(entry, str) else entry
            candidates.append(_candidate([code, name, verdict]))
    runner_up = stored.get("r")
    return Record(
        policy,
        version,
        service,
        currency,
        _place(stored.get("d", ())),
        tuple(RecordedLine(*_padded(row, ("", "", 0, 0, ""))) for row in stored.get("l", ())),
        tuple(sorted(candidates, key=lambda row: row.code)),
        tuple(
            RecordedParcel(code, tuple(units), _parts(cost), ship_by, p50, p90)
            for code, units, cost, ship_by, p50, p90 in stored.get("s", ())
        ),
        _parts(stored.get("t", ())),
        RecordedAlternative(tuple(runner_up[0]), *runner_up[1:]) if runner_up else None,
        stored.get("why", ""),
        tuple(stored.get("soft", ())),
        stored.get("gap", 0.0),
        stored.get("by", ""),
        *_padded(stored.get("b", ()), (Level.GAP if stored.get("gap") else Level.EXACT, "")),
    )


def _stored_place(place: Place) -> list[str]:
    exact = place.precision is Precision.POSTAL_CODE
    area = place.postal_code.strip()[:AREA_DIGITS]
    return _trimmed([place.country, place.region, area, "" if exact else place.precision])


def _place(row: Sequence[str]) -> RecordedPlace:
    country, region, area, precision = _padded(row, ("", "", "", Precision.POSTAL_CODE))
    return RecordedPlace(country, region, area, Precision(precision))


def _stored_lines(plan: Plan) -> list[list[Any]]:
    unfilled = {row.line: [row.quantity, row.reason] for row in plan.unfilled}
    return [
        [line.key, line.label, line.quantity, *unfilled.get(line.key, ())]
        for line in plan.demand.lines
    ]


def _stored_candidate(row: Candidate) -> list[Any]:
    _, code, name, verdict, available, km, zone, p90, reason, ruler, alone, kind, lead = row
    costs = None if alone is None else _costs(alone)
    arrives = p90.isoformat() if p90 else ""
    stored = [code, name, verdict, available, costs, km, zone, arrives, reason, ruler]
    return _trimmed([*stored, kind.value, lead])


def _costs(cost: CostParts) -> list[int]:
    """The score, then its parts, without the zeros at the end."""
    freight, handling, picking, unfilled, split, distance, lateness, score, *later = cost
    if any(later):
        return _trimmed([score, *cost[:SCORE], *later])
    if split or distance or lateness:
        return _trimmed([score, freight, handling, picking, unfilled, split, distance, lateness])
    return _trimmed([score, freight, handling, picking, unfilled])


def _parts(values: Sequence[int]) -> CostParts:
    score, *parts = _padded(values, CostParts())
    return CostParts._make([*parts[:SCORE], score, *parts[SCORE:]])


def _candidate(row: Sequence[Any]) -> RecordedCandidate:
    code, name, verdict, available, alone, km, zone, p90, reason, ruler, kind, lead = _padded(
        row, ("", "", "", (), None, None, None, "", "", "", "", 0)
    )
    costs = None if alone is None else _parts(alone)
    return RecordedCandidate(
        code, name, verdict, tuple(available), km, zone, p90, reason, ruler, costs, kind, lead
    )


def _trimmed(values: list[Any]) -> list[Any]:
    """Without the empty values at the end."""
    while values and not values[-1]:
        values.pop()
    return values


def _padded(values: Sequence[Any], defaults: Sequence[Any]) -> list[Any]:
    return [*values, *defaults[len(values) :]]
