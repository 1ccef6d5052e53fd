"""Claims for parcels that never arrived: what the buyer gets, and what the carrier owes, apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel import events, ids
from config.kernel.errors import Conflict, DomainError, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from fulfillment.selectors import parcels_at_hand
from orders.selectors import creditable_lines, order_heads
from orders.types import CreditedUnits, CreditRequest, LinkedLine, LinkedOrder
from returns.models import Claim, ClaimLine
from returns.services.work import refused
from returns.states import ClaimKind, ClaimState, Resolution
from returns.types import ClaimAnswer, ClaimDecision, ClaimStanding

CAUSE = "claim"
_STORED = [
    "state",
    "resolution",
    "reship_order_id",
    "credited_minor",
    "amount_minor",
    "reference",
    "filed_at",
    "answered_at",
    "resolved_at",
    "event_seq",
]


@dataclass(slots=True)
class _Claims:
    """Locked claims, behind their orders, and what is to be told of them."""

    rows: dict[UUID, Claim]
    scope: Scope
    told: list[tuple[UUID, str, dict[str, Any]]] = field(default_factory=list)

    def visible(self, claim_id: UUID) -> Claim:
        found = self.rows.get(claim_id)
        if found is None or not self.scope.allows(found.account_id):
            raise NotFound("There is no such claim.")
        return found

    def tell(self, claim: Claim, topic: str, **data: object) -> None:
        self.told.append((claim.pk, topic, dict(data)))

    def write(self, *, at: datetime, actor: Actor, reason: str) -> None:
        """Put down what has changed, with its history and events: four statements at most."""
        facts = []
        for claim_id, topic, data in self.told:
            claim = self.rows[claim_id]
            claim.event_seq += 1
            facts.append(_fact(claim, topic, data))
        changed = [
            self.rows[claim_id] for claim_id in dict.fromkeys(one for one, _, _ in self.told)
        ]
        if changed:
            Claim.objects.for_scope(ALL_ACCOUNTS).bulk_update(changed, _STORED)
            record_history(
                Claim,
                [one.pk for one in changed],
                Change.CHANGED,
                at=at,
                actor=actor,
                reason=reason,
            )
        events.record(facts, at=at, actor=actor)

    def answers(self, verdicts: Sequence[Outcome[UUID]]) -> list[Outcome[ClaimStanding]]:
        return [
            Outcome(
                one.kind,
                standing_of(self.rows[one.value]) if one.value is not None else None,
                one.problem,
            )
            for one in verdicts
        ]


def _fact(claim: Claim, topic: str, data: Mapping[str, Any]) -> events.Fact:
    return events.Fact(
        topic,
        "claim",
        claim.pk,
        claim.event_seq,
        claim.account_id,
        {
            "number": claim.number,
            "state": str(claim.state),
            "kind": claim.kind,
            "parcel_id": str(claim.parcel_id),
            "carrier": claim.carrier_code,
            **data,
        },
        claim.order_id,
    )


def standing_of(claim: Claim) -> ClaimStanding:
    """Where a claim stands, for answers."""
    return ClaimStanding(
        claim.pk, claim.number, str(claim.state), claim.resolution, claim.reship_order_id
    )


def _open(claim_ids: Sequence[UUID], scope: Scope) -> _Claims:
    """Lock these claims behind their orders."""
    found = Claim.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(claim_ids))
    threads = set(found.values_list("order_id", flat=True))
    if threads:
        orders.services.lock_orders(threads)
    locked = Claim.objects.for_scope(ALL_ACCOUNTS).locked(claim_ids)
    return _Claims({one.pk: one for one in locked}, scope)


@transaction.atomic
def open_claims(
    parcel_ids: Sequence[UUID], *, kind: str = "lost", at: datetime, actor: Actor
) -> list[UUID]:
    """Open a claim for each parcel that has none. Answers the new claims."""
    if kind not in ClaimKind.values:
        raise Invalid(f"A claim is one of {', '.join(ClaimKind.values)}.")
    parcels = parcels_at_hand(parcel_ids, ALL_ACCOUNTS)
    orders.services.lock_orders({one.order_id for one in parcels})
    known = set(
        Claim.objects.for_scope(ALL_ACCOUNTS)
        .filter(parcel_id__in=[one.parcel_id for one in parcels])
        .values_list("parcel_id", flat=True)
    )
    heads = order_heads([one.order_id for one in parcels], ALL_ACCOUNTS)
    fresh = [
        Claim(
            id=ids.uuid7(),
            account_id=one.account_id,
            order_id=one.order_id,
            parcel_id=one.parcel_id,
            carrier_code=one.carrier_code,
            tracking_number=one.tracking_number,
            kind=kind,
            currency=heads[one.order_id].currency,
            opened_at=at,
            event_seq=1,
        )
        for one in parcels
        if one.parcel_id not in known and one.units
    ]
    units = {one.parcel_id: one.units for one in parcels}
    Claim.objects.bulk_create(fresh)
    ClaimLine.objects.bulk_create(
        [
            ClaimLine(
                id=ids.uuid7(),
                account_id=claim.account_id,
                claim_id=claim.pk,
                order_line_id=line_id,
                quantity=quantity,
            )
            for claim in fresh
            for line_id, quantity in units[claim.parcel_id]
        ]
    )
    _announce(fresh, at=at, actor=actor)
    return [claim.pk for claim in fresh]


def _announce(fresh: Sequence[Claim], *, at: datetime, actor: Actor) -> None:
    """Record the history and the event of claims that were just inserted."""
    numbers = dict(
        Claim.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[claim.pk for claim in fresh])
        .values_list("pk", "number")
    )
    for claim in fresh:
        claim.number = numbers[claim.pk]
    record_history(Claim, list(numbers), Change.CREATED, at=at, actor=actor, reason="opened")
    events.record([_fact(claim, "claim.opened", {}) for claim in fresh], at=at, actor=actor)


@transaction.atomic
def resolve_claims(
    decisions: Sequence[ClaimDecision], *, at: datetime, actor: Actor
) -> list[Outcome[ClaimStanding]]:
    """Give the buyer what was decided: the goods again, their money, or nothing. One outcome each.

    Decided once. The same goods go out at no price, as an order that names the line and parcel.
    """
    claims = _open([one.claim_id for one in decisions], actor.scope)
    lines: dict[UUID, list[ClaimLine]] = {}
    for row in ClaimLine.objects.for_scope(ALL_ACCOUNTS).filter(claim_id__in=list(claims.rows)):
        lines.setdefault(row.claim_id, []).append(row)
    verdicts: list[Outcome[UUID]] = []
    decided: dict[str, list[Claim]] = {}
    for one in decisions:
        try:
            claim = claims.visible(one.claim_id)
            if claim.resolution == one.resolution and one.resolution:
                verdicts.append(Outcome.repeated(one.claim_id))
                continue
            if not one.resolution or one.resolution not in Resolution.values:
                raise Invalid("A claim ends in reship, refund or nothing.")
            if claim.resolution:
                raise Conflict(f"It was decided: {claim.get_resolution_display().lower()}.")
        except DomainError as refusal:
            verdicts.append(refused(refusal))
            continue
        claim.resolution, claim.resolved_at = one.resolution, at
        decided.setdefault(one.resolution, []).append(claim)
        verdicts.append(Outcome.done(one.claim_id))
    failed = {
        **_refund(decided.get(Resolution.REFUND, []), lines, at=at, actor=actor),
        **_reship(decided.get(Resolution.RESHIP, []), lines, at=at, actor=actor),
    }
    for claim in [one for rows in decided.values() for one in rows]:
        if claim.pk in failed:
            claim.resolution, claim.resolved_at = Resolution.UNDECIDED.value, None
            continue
        claims.tell(claim, "claim.resolved", resolution=claim.resolution)
    claims.write(at=at, actor=actor, reason="resolved")
    return claims.answers(
        [failed.get(one.value, one) if one.value is not None else one for one in verdicts]
    )


def _refund(
    rows: Sequence[Claim], lines: Mapping[UUID, Sequence[ClaimLine]], *, at: datetime, actor: Actor
) -> dict[UUID, Outcome[UUID]]:
    """Credit what was in the parcels; answers those that could not be, with why."""
    outcomes = orders.services.credit_units(
        [
            CreditRequest(
                claim.order_id,
                CAUSE,
                claim.pk,
                tuple(CreditedUnits(one.order_line_id, one.quantity) for one in lines[claim.pk]),
                reason=f"{claim.kind} {claim.number}",
            )
            for claim in rows
        ],
        at=at,
        actor=actor,
    )
    failed: dict[UUID, Outcome[UUID]] = {}
    for claim, outcome in zip(rows, outcomes, strict=True):
        if outcome.value is None:
            why = outcome.problem.detail if outcome.problem else ""
            failed[claim.pk] = Outcome.refused("conflict", why)
        else:
            claim.credited_minor = outcome.value.amount_minor
    return failed


def _reship(
    rows: Sequence[Claim], lines: Mapping[UUID, Sequence[ClaimLine]], *, at: datetime, actor: Actor
) -> dict[UUID, Outcome[UUID]]:
    """Send the same again; answers those that could not be placed, with why."""
    if not rows:
        return {}
    known = {
        line.line_id: line
        for line in creditable_lines([claim.order_id for claim in rows], ALL_ACCOUNTS)
    }
    placed = orders.services.place_linked(
        [
            LinkedOrder(
                claim.order_id,
                known[lines[claim.pk][0].order_line_id].group_id,
                "reship",
                CAUSE,
                claim.pk,
                tuple(
                    LinkedLine(
                        known[one.order_line_id].sku_code,
                        one.quantity,
                        0,
                        known[one.order_line_id].title,
                        one.order_line_id,
                    )
                    for one in lines[claim.pk]
                ),
                parcel_id=claim.parcel_id,
            )
            for claim in rows
        ],
        at=at,
        actor=actor,
    )
    failed: dict[UUID, Outcome[UUID]] = {}
    for claim, outcome in zip(rows, placed, strict=True):
        if outcome.value is None:
            why = outcome.problem.detail if outcome.problem else ""
            failed[claim.pk] = Outcome.refused("conflict", why)
        else:
            claim.reship_order_id = outcome.value.id
    return failed


@transaction.atomic
def file_claims(
    filed: Sequence[tuple[UUID, str]], *, at: datetime, actor: Actor
) -> list[Outcome[ClaimStanding]]:
    """Say that claims were sent to their carriers: (claim, the carrier's number). One outcome each."""
    claims = _open([claim_id for claim_id, _ in filed], actor.scope)
    verdicts: list[Outcome[UUID]] = []
    for claim_id, reference in filed:
        try:
            claim = claims.visible(claim_id)
            if claim.state == ClaimState.FILED:
                verdicts.append(Outcome.repeated(claim_id))
                continue
            claim.file(reference=reference[:128], at=at)
        except DomainError as refusal:
            verdicts.append(refused(refusal))
            continue
        claims.tell(claim, "claim.filed", reference=claim.reference)
        verdicts.append(Outcome.done(claim_id))
    claims.write(at=at, actor=actor, reason="filed")
    return claims.answers(verdicts)


@transaction.atomic
def record_claim_answers(
    answers: Sequence[ClaimAnswer], *, at: datetime, actor: Actor
) -> list[Outcome[ClaimStanding]]:
    """Write down what carriers said: paid so much, or denied. One outcome each, in order."""
    claims = _open([one.claim_id for one in answers], actor.scope)
    verdicts: list[Outcome[UUID]] = []
    for one in answers:
        try:
            claim = claims.visible(one.claim_id)
            if claim.state == (ClaimState.PAID if one.paid else ClaimState.DENIED):
                verdicts.append(Outcome.repeated(one.claim_id))
                continue
            if one.amount_minor < 0:
                raise Invalid("What a carrier pays is not negative.")
            if one.paid:
                claim.pay(amount_minor=one.amount_minor, at=at)
            else:
                claim.deny(at=at)
        except DomainError as refusal:
            verdicts.append(refused(refusal))
            continue
        claim.reference = one.reference[:128] or claim.reference
        claims.tell(claim, "claim.answered", amount_minor=claim.amount_minor)
        verdicts.append(Outcome.done(one.claim_id))
    claims.write(at=at, actor=actor, reason="answered by the carrier")
    return claims.answers(verdicts)


@transaction.atomic
def withdraw_claims(parcel_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> int:
    """Parcels turned up: their claims are withdrawn. Answers how many."""
    found = Claim.objects.for_scope(ALL_ACCOUNTS).filter(
        parcel_id__in=list(parcel_ids), state__in=[ClaimState.OPEN, ClaimState.FILED]
    )
    claims = _open(list(found.values_list("pk", flat=True)), ALL_ACCOUNTS)
    withdrawn = 0
    for claim in claims.rows.values():
        if claim.state in {ClaimState.OPEN, ClaimState.FILED}:
            claim.withdraw(at=at)
            claims.tell(claim, "claim.withdrawn", resolution=claim.resolution)
            withdrawn += 1
    claims.write(at=at, actor=actor, reason="the parcel turned up")
    return withdrawn
