"""What payment providers tell, pushed or found by comparing, becomes commands of orders."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orders.services
from config.kernel.types import Actor, Outcome, OutcomeKind
from integrations.appliers import Applied, Ignored, NotYet, Received, Refused, Verdict
from integrations.payments.gateway import ForeignPayment, News, UnreadableEvent
from orders.payments import DisputeVerdict, LapsedAuthorization, NewDispute, PaymentNews
from orders.selectors import orders_told_of

Read = Callable[[Any, UUID, str], News | None]
N = TypeVar("N")

_NOTHING = Ignored("other-topic", "Nothing follows from it here.")
_WAITS = frozenset({"not-found", "busy"})
_KNOWN_OTHERWISE = frozenset({"conflict", "invalid"})


@dataclass(slots=True)
class _Sorted:
    """The news of a batch by kind, each with the place of its message."""

    payments: list[tuple[int, PaymentNews]] = field(default_factory=list)
    lapsed: list[tuple[int, LapsedAuthorization]] = field(default_factory=list)
    disputes: list[tuple[int, NewDispute]] = field(default_factory=list)
    verdicts: list[tuple[int, DisputeVerdict]] = field(default_factory=list)

    def add(self, place: int, news: News) -> None:
        match news:
            case PaymentNews():
                self.payments.append((place, news))
            case LapsedAuthorization():
                self.lapsed.append((place, news))
            case NewDispute():
                self.disputes.append((place, news))
            case DisputeVerdict():
                self.verdicts.append((place, news))

    def everything(self) -> list[News]:
        return [
            news
            for kind in (self.payments, self.lapsed, self.disputes, self.verdicts)
            for _, news in kind
        ]


@dataclass(frozen=True, slots=True)
class PaymentApplier:
    """Implements `integrations.appliers.Applier` for payment providers."""

    read: Read

    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        told = _Sorted()
        for place, letter in enumerate(letters):
            opened = self._open(letter)
            if isinstance(opened, Ignored | Refused):
                verdicts[place] = opened
            else:
                told.add(place, opened)
        outcomes = record(told, at=at, actor=actor)
        disputed = {place for place, _ in (*told.disputes, *told.verdicts)}
        for place, outcome in outcomes.items():
            verdicts[place] = _verdict(outcome, refuses=place in disputed)
        return [verdicts[place] for place in range(len(letters))]

    def _open(self, letter: Received) -> News | Ignored | Refused:
        ref = letter.connection
        try:
            news = self.read(json.loads(letter.letter.raw), ref.account_id, ref.code)
        except (ValueError, RecursionError):
            return Refused("not-json", "The message is not valid JSON.")
        except ForeignPayment as foreign:
            return Ignored(foreign.code, foreign.detail)
        except UnreadableEvent as unreadable:
            return Refused(unreadable.code, unreadable.detail)
        return _NOTHING if news is None else news


def record(told: _Sorted, *, at: datetime, actor: Actor) -> dict[int, Outcome[UUID]]:
    """Hand the news on, a command per kind, in the order in which they may follow each other."""
    # All orders at once, in the one order of locks: each command takes its own of them again.
    orders.services.lock_orders(orders_told_of(told.everything()))
    own = orders.services
    return {
        **_said(told.payments, own.record_payment_news, at=at, actor=actor),
        **_said(told.lapsed, own.lapse_authorizations, at=at, actor=actor),
        **_said(told.disputes, own.record_disputes, at=at, actor=actor),
        **_said(told.verdicts, own.settle_disputes, at=at, actor=actor),
    }


def _said(
    given: Sequence[tuple[int, N]],
    command: Callable[..., list[Outcome[UUID]]],
    *,
    at: datetime,
    actor: Actor,
) -> dict[int, Outcome[UUID]]:
    """One command for all news of a kind; the outcome of each by the place of its message."""
    if not given:
        return {}
    answers = command([news for _, news in given], at=at, actor=actor)
    return dict(zip((place for place, _ in given), answers, strict=True))


def _verdict(outcome: Outcome[UUID], *, refuses: bool) -> Verdict:
    """A payment that is known otherwise has its case already; a dispute needs a person to look."""
    if outcome.value is not None:
        if outcome.kind is OutcomeKind.DONE:
            return Applied("order", outcome.value, outcome.value)
        words = "It was known before."
        return Ignored("repeated", words, "order", outcome.value, outcome.value)
    problem = outcome.problem
    code, detail = (problem.code, problem.detail) if problem else ("refused", "")
    if code in _WAITS:
        return NotYet(code, detail)
    if code in _KNOWN_OTHERWISE and not refuses:
        return Ignored(code, detail)
    return Refused(code, detail)
