"""What messages from outside come to: each adapter's applier, and the verdicts it gives.

An applier is called in the transaction that marks the messages, with a batch of one adapter. It
calls commands of the apps below, in batches, and answers one verdict per message, in order. A
message that holds several events is taken apart by the applier: each event counts once by its own id
(`external_keys.claim`), and the message gets one verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from config.kernel.errors import NotFound
from config.kernel.types import Actor
from integrations.types import ConnectionRef


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it came: its headers and its bytes. Personal data; never logged."""

    headers: dict[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the inbox knows of a message without opening it. `attempts` were made before this one."""

    id: UUID
    account_id: UUID
    source: str
    external_id: str
    kind: str
    received_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Received:
    """One message to apply, opened."""

    row: Envelope
    letter: Letter
    connection: ConnectionRef


@dataclass(frozen=True, slots=True)
class Applied:
    """It had its effect. `created`: it made its subject, which `follow` is given after the commit."""

    subject_kind: str
    subject_id: UUID
    thread_id: UUID | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """It is in order and changes nothing; the subject, where there is one, is what it repeats."""

    code: str
    reason: str
    subject_kind: str = ""
    subject_id: UUID | None = None
    thread_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NotYet:
    """Its subject has not come: tried again by the sweep, and dead after `inbox.ATTEMPTS`."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It can never be applied as it is: dead, with a case, until somebody replays it."""

    code: str
    reason: str


Verdict = Applied | Ignored | NotYet | Refused


class Applier(Protocol):
    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        """One verdict per message, in order; statements constant in their number.

        Runs in the transaction that marks the messages. What it raises rolls all of them back; the
        batch is then halved until the message that fails stands alone.
        """


class Follow(Protocol):
    def __call__(self, applied: Sequence[Applied], *, at: datetime, actor: Actor) -> object:
        """After the commit, with the verdicts of messages that made their subject.

        A crash before it is somebody else's sweep: what it does must also be done without it.
        """


@dataclass(frozen=True, slots=True)
class _Registered:
    applier: Applier
    follow: Follow | None


_appliers: dict[str, _Registered] = {}


def register(adapter: str, applier: Applier, *, follow: Follow | None = None) -> None:
    """Say who applies an adapter's messages; called from `registration.register_all()`."""
    if adapter in _appliers:
        raise ValueError(f"the adapter {adapter} has two appliers")
    _appliers[adapter] = _Registered(applier, follow)


def applier(adapter: str) -> Applier:
    """Raises NotFound for an adapter that nobody applies."""
    return _known(adapter).applier


def follow(adapter: str) -> Follow | None:
    return _known(adapter).follow


def known(adapter: str) -> bool:
    return adapter in _appliers


def names() -> list[str]:
    return sorted(_appliers)


def _known(adapter: str) -> _Registered:
    try:
        return _appliers[adapter]
    except KeyError:
        raise NotFound(f"Nobody applies messages of {adapter} here.") from None
