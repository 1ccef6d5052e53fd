"""The port to carriers: what fulfillment needs of one. Adapters live in integrations.carriers.

A remote port. No command calls it: a command writes an intent, a task calls the carrier with no
transaction open, a second command records the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Protocol

from config.kernel.errors import NotFound


class LabelStatus(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Where a parcel starts or ends, as printed."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    company: str = ""
    line2: str = ""
    region: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """One label to buy. The carrier must answer the same `key` with the same label."""

    key: str
    parcel_number: str
    order_number: str
    service_code: str
    weight_grams: int
    ship_from: PostalAddress
    ship_to: PostalAddress
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelAnswer:
    """`unknown` says that a label may have been bought: `find_label` tells before another try."""

    status: LabelStatus
    tracking_number: str = ""
    document: bytes = b""
    media_type: str = "application/pdf"
    cost_minor: int | None = None
    currency: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class VoidAnswer:
    status: LabelStatus
    code: str = ""
    message: str = ""


class Carrier(Protocol):
    """What fulfillment needs of a carrier."""

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        """Buy one label. Never raises for what the carrier says; a lost answer is `unknown`."""
        ...

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        """The label bought under the request's key; None when there is none."""
        ...

    def void_label(self, tracking_number: str) -> VoidAnswer:
        """Give a label back before its first scan."""
        ...

    def tracking_url(self, tracking_number: str) -> str:
        """The carrier's public page on the parcel; empty when it has none."""
        ...


_factories: dict[str, Callable[[], Carrier]] = {}


def register(code: str, factory: Callable[[], Carrier]) -> None:
    """Make a carrier known; called from `AppConfig.ready()`."""
    if code in _factories:
        raise ValueError(f"the carrier {code} is registered twice")
    _factories[code] = factory


@contextmanager
def using(connections: Mapping[str, Carrier]) -> Iterator[None]:
    """Have these carriers, and no others, connected within the block: for simulations and tests."""
    before = dict(_factories)
    _factories.clear()
    for code, connection in connections.items():
        _factories[code] = partial(_connected, connection)
    try:
        yield
    finally:
        _factories.clear()
        _factories.update(before)


def _connected(connection: Carrier) -> Carrier:
    return connection


def carrier(code: str) -> Carrier:
    """Raises NotFound for a carrier that nobody connected."""
    try:
        return _factories[code]()
    except KeyError:
        raise NotFound(f"There is no connection to the carrier {code}.") from None


def connected() -> list[str]:
    """Codes of the carriers from which a label can be bought, sorted."""
    return sorted(_factories)
