"""The port to carriers: what fulfillment needs of one. Adapters live in integrations.carriers.

A remote port. No command calls it: a command writes an intent, a task calls the carrier with no
transaction open, a second command records the answer.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from config.kernel.errors import NotFound
from fulfillment.types import TrackingNews


class LabelStatus(StrEnum):
    """What became of something asked of a carrier."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    RETRY = "retry"
    """It has not happened, and may be asked again."""


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
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class VoidAnswer:
    status: LabelStatus
    code: str = ""
    message: str = ""
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ManifestParcel:
    """One labelled parcel on a manifest. `key` is the key its label was bought under."""

    key: str
    parcel_number: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class ManifestRequest:
    """What a node hands over at once. The carrier must answer the same `key` with the same list."""

    key: str
    manifest_number: str
    day: date
    ship_from: PostalAddress
    parcels: tuple[ManifestParcel, ...]


@dataclass(frozen=True, slots=True)
class ManifestAnswer:
    """`reference` is the carrier's own number of the list; `document` is what its driver scans."""

    status: LabelStatus
    reference: str = ""
    document: bytes = b""
    code: str = ""
    message: str = ""
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TrackAnswer:
    """All that a carrier has ever said of the numbers it was asked about.

    `unknown` are numbers it does not know, `unasked` those it was not asked about or gave no answer
    on; `estimates` say by tracking number when it expects to deliver.
    """

    news: tuple[TrackingNews, ...] = ()
    unknown: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    estimates: Mapping[str, datetime] = field(default_factory=dict)


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

    def manifest(self, request: ManifestRequest) -> ManifestAnswer:
        """Announce what its driver will take along. Asked twice, it is announced once."""
        ...

    def track(self, tracking_numbers: Sequence[str]) -> TrackAnswer:
        """Ask for all news of these parcels. Never raises for what the carrier says."""
        ...

    def tracking_url(self, tracking_number: str) -> str:
        """The carrier's public page on the parcel; empty when it has none."""
        ...


class Directory(Protocol):
    """The carriers that accounts have connected themselves, each with its own contract."""

    def carrier(self, account_id: UUID, code: str) -> Carrier | None:
        """The account's connection to the carrier; None when it has none to which we may send."""
        ...

    def codes(self, account_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
        """Codes of the carriers that each account can buy labels from."""
        ...

    def page(self, account_id: UUID, code: str) -> str | None:
        """The carrier's public page, `{number}` where the number goes; None when it has no such
        connection. Cheap: asked for every parcel of a list.
        """
        ...


_factories: dict[str, Callable[[], Carrier]] = {}
_directories: list[Directory] = []


def register(code: str, factory: Callable[[], Carrier]) -> None:
    """Make a carrier known; called from `AppConfig.ready()`."""
    if code in _factories:
        raise ValueError(f"the carrier {code} is registered twice")
    _factories[code] = factory


def register_directory(directory: Directory) -> None:
    """Have carriers looked up by account; called from `AppConfig.ready()`."""
    _directories.append(directory)


@contextmanager
def using(connections: Mapping[str, Carrier]) -> Iterator[None]:
    """Have these carriers, and no others, connected within the block: for simulations and tests."""
    before, looked_up = dict(_factories), list(_directories)
    _factories.clear()
    _directories.clear()
    for code, connection in connections.items():
        _factories[code] = partial(_connected, connection)
    try:
        yield
    finally:
        _factories.clear()
        _factories.update(before)
        _directories[:] = looked_up


def _connected(connection: Carrier) -> Carrier:
    return connection


def carrier(code: str, account_id: UUID | None = None) -> Carrier:
    """The account's own connection to the carrier, or everybody's.

    Raises NotFound for a carrier that nobody connected.
    """
    if account_id is not None:
        for directory in _directories:
            found = directory.carrier(account_id, code)
            if found is not None:
                return found
    try:
        return _factories[code]()
    except KeyError:
        raise NotFound(f"There is no connection to the carrier {code}.") from None


def tracking_url(code: str, account_id: UUID, tracking_number: str) -> str:
    """The carrier's public page on a parcel; empty when there is none."""
    for directory in _directories:
        page = directory.page(account_id, code)
        if page is not None:
            return page.replace("{number}", quote(tracking_number, safe=""))
    return _factories[code]().tracking_url(tracking_number) if code in _factories else ""


def connected() -> list[str]:
    """Codes of the carriers that every account may buy labels from, sorted."""
    return sorted(_factories)


def connected_by_account(account_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Codes of the carriers from which each account can buy a label."""
    found = {account_id: frozenset(_factories) for account_id in account_ids}
    for directory in _directories:
        for account_id, codes in directory.codes(account_ids).items():
            found[account_id] |= codes
    return found
