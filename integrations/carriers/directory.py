"""Which carriers an account has connected, for the carriers port."""

import time
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from fulfillment.carriers import Carrier
from integrations import connections
from integrations.carriers import aftership, easypost, generic
from integrations.types import ConnectionRef

ADAPTERS: Final = (aftership.NAME, easypost.NAME, generic.NAME)
PAGE_SECONDS: Final = 60.0
"""How long the address of a carrier's page is remembered."""


def sells_labels(ref: ConnectionRef) -> bool:
    """Whether labels are bought over the connection: trackers only follow, listening ones read."""
    if not ref.live or ref.adapter == aftership.NAME:
        return False
    return ref.adapter == easypost.NAME or bool(ref.settings.get("label"))


def carrier_of(ref: ConnectionRef) -> Carrier:
    """The adapter of a connection. What speaks HTTP is loaded with the first question to it."""
    return _made[ref.adapter](ref)


def _aftership(ref: ConnectionRef) -> Carrier:
    from integrations.carriers.aftership_client import AfterShipCarrier

    return AfterShipCarrier(ref)


def _easypost(ref: ConnectionRef) -> Carrier:
    from integrations.carriers.easypost_client import EasyPostCarrier

    return EasyPostCarrier(ref)


def _generic(ref: ConnectionRef) -> Carrier:
    from integrations.carriers.generic_client import GenericCarrier

    return GenericCarrier(ref)


_made: Final[dict[str, Callable[[ConnectionRef], Carrier]]] = {
    aftership.NAME: _aftership,
    easypost.NAME: _easypost,
    generic.NAME: _generic,
}


class ConnectedCarriers:
    """Implements `fulfillment.carriers.Directory` over the connections."""

    def __init__(self) -> None:
        self._pages: dict[tuple[UUID, str], tuple[float, str | None]] = {}

    def carrier(self, account_id: UUID, code: str) -> Carrier | None:
        ref = connections.of_carrier(account_id, code)
        return carrier_of(ref) if ref is not None and ref.adapter in _made else None

    def codes(self, account_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
        found: dict[UUID, frozenset[str]] = dict.fromkeys(account_ids, frozenset())
        for ref in connections.of_adapter(*ADAPTERS, live_only=True):
            if ref.account_id in found and sells_labels(ref):
                found[ref.account_id] |= {ref.carrier_code}
        return found

    def page(self, account_id: UUID, code: str) -> str | None:
        """As the settings had it at most a minute ago: lists ask for every parcel."""
        kept = self._pages.get((account_id, code))
        if kept is not None and time.monotonic() - kept[0] < PAGE_SECONDS:
            return kept[1]
        ref = connections.of_carrier(account_id, code)
        page = None if ref is None else str(ref.settings.get("tracking_url", ""))
        self._pages[account_id, code] = (time.monotonic(), page)
        return page
