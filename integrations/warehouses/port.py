"""What we need of a warehouse system, whoever makes it: tell it work, ask it, read it.

Implementations are adapters (`integrations.warehouses.wms` is the documented protocol); one
conformance suite runs over each. None of these calls raises for what became of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from config.kernel.errors import NotFound
from fulfillment.nodework import ReleaseDocument, RequestDocument
from integrations.types import ConnectionRef
from integrations.warehouses.reports import StockSeen


class Taken(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have come: look before telling it again."""
    RETRY = "retry"
    """It has not come."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one call. `detail` is a short sentence without personal data.

    `asked` says whether the system was called at all.
    """

    taken: Taken
    code: str = ""
    detail: str = ""
    after_seconds: float | None = None
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a push would have brought it."""

    id: str
    topic: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Orders that have changed, as messages. `cursor` is where the next page begins."""

    reply: Reply
    messages: Sequence[Message] = ()
    cursor: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole stock, or why it could not be had."""

    reply: Reply
    stock: StockSeen | None = None


class Warehouse(Protocol):
    """One node's system."""

    def release(self, document: ReleaseDocument, *, key: str) -> Reply:
        """Tell it an order. The same number again changes nothing there."""

    def knows(self, number: str) -> bool | None:
        """Whether it has the order; None when it cannot be asked now."""

    def ask(self, document: RequestDocument, *, key: str) -> Reply:
        """Ask it about units of an order. The answer comes as a report."""

    def ask_count(self, count_id: UUID, sku: str, *, key: str) -> Reply:
        """Ask it to count a SKU. The answer comes as a report."""

    def changed(self, cursor: str) -> Page:
        """Orders that have changed since; from the beginning without a cursor."""

    def stock(self, *, at: datetime) -> Seen:
        """Everything that lies there, as of a time not after `at`."""


Factory = Callable[[ConnectionRef], Warehouse]
_factories: dict[str, Factory] = {}


def register(adapter: str, factory: Factory) -> None:
    """Say what speaks for an adapter; called from `registration.register_all()`."""
    if adapter in _factories:
        raise ValueError(f"the warehouse adapter {adapter} is registered twice")
    _factories[adapter] = factory


def warehouse(ref: ConnectionRef) -> Warehouse:
    """Raises NotFound for a connection of another kind of adapter."""
    try:
        return _factories[ref.adapter](ref)
    except KeyError:
        raise NotFound(f"No warehouse speaks {ref.adapter}.") from None


def known(adapter: str) -> bool:
    return adapter in _factories


def names() -> list[str]:
    return sorted(_factories)
