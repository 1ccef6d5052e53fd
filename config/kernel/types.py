"""Frozen values that every app shares: who acts, within which wall, and how one item of a batch ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts a read or a command may reach. `ALL_ACCOUNTS` is named, never assumed."""

    account_ids: frozenset[UUID]
    everything: bool = False

    def allows(self, account_id: UUID) -> bool:
        return self.everything or account_id in self.account_ids


ALL_ACCOUNTS = Scope(frozenset(), everything=True)


class ActorKind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"
    NODE = "node"
    CHANNEL = "channel"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change, on whose behalf and within which scope; carried by every command.

    `id` and `name` are codes or opaque ids, never personal data: they are copied to events.
    One command may do the work of several requests of the same caller: `correlations` then says
    which document (by id) each of them is about.
    """

    kind: ActorKind
    id: str
    name: str
    scope: Scope
    on_behalf_of: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    idempotency_key: str = ""
    correlations: Mapping[UUID, str] = field(default_factory=dict, compare=False)

    def correlation_of(self, document_id: UUID) -> str:
        """The request that what happens to this document belongs to."""
        return self.correlations.get(document_id, self.correlation_id)

    @classmethod
    def system(cls, name: str, *, scope: Scope = ALL_ACCOUNTS, causation_id: str = "") -> Self:
        """The actor of a job or handler; `name` says which one."""
        return cls(ActorKind.SYSTEM, name, name, scope, causation_id=causation_id)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one item was refused: a stable `code`, a sentence, and structured details."""

    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)


T = TypeVar("T")


class OutcomeKind(StrEnum):
    DONE = "done"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How one item of a batch ended. `value` is the answer of a done or repeated item."""

    kind: OutcomeKind
    value: T | None = None
    problem: Problem | None = None

    @classmethod
    def done(cls, value: T) -> "Outcome[T]":
        return cls(OutcomeKind.DONE, value)

    @classmethod
    def repeated(cls, value: T) -> "Outcome[T]":
        return cls(OutcomeKind.REPEATED, value)

    @classmethod
    def refused(cls, code: str, detail: str, **extra: Any) -> "Outcome[T]":
        return cls(OutcomeKind.REFUSED, None, Problem(code, detail, extra))

    @property
    def ok(self) -> bool:
        return self.kind is not OutcomeKind.REFUSED


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event, case or job is about: a kind code of the registry and an id."""

    kind: str
    id: UUID
