"""Departures and lanes that were worked out for a network, kept from one batch to the next."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from routing import engine
from routing.reference import Network

MOST_KEPT: Final = 16
"""Channels whose timetables a process keeps: those that planned last."""

_kept: Final[dict[tuple[UUID, UUID], tuple[Network, engine.Timetable]]] = {}


def timetable_for(
    user: tuple[UUID, UUID], network: Network, nodes: Sequence[engine.Node], rates: engine.RateCard
) -> engine.Timetable:
    """What is known already of the network of this account and channel, while it and rates last.

    Nodes that are another's than the network's own stand so for one batch: a timetable that
    outlived it would keep them all.
    """
    if nodes is not network.shipping and nodes is not network.pickup:
        return engine.Timetable(rates)
    known = _kept.pop(user, None)
    if known is None or known[0] is not network or known[1].rates is not rates:
        known = (network, engine.Timetable(rates))
    _kept[user] = known
    for oldest in list(_kept)[:-MOST_KEPT]:
        _kept.pop(oldest, None)
    return known[1]
