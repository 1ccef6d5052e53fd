"""A channel that sells from nodes, and demand as supply is told of it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import inventory.selectors
from config.kernel.models import Account, Channel
from inventory import demand
from inventory.models import BufferRule, Node, Sku
from tests.factories.inventory import ChannelNodeFactory, NodeFactory
from tests.factories.kernel import NOON, ChannelFactory


@dataclass(frozen=True)
class Shop:
    """A channel and the nodes that ship for it."""

    channel: Channel
    nodes: list[Node]

    @property
    def account(self) -> Account:
        return self.channel.account

    def ats(self, sku: Sku, *, at: datetime = NOON, by: datetime | None = None) -> int:
        """The figure of one SKU, with the network as it is now."""
        inventory.selectors.forget()
        return inventory.selectors.ats(self.channel.pk, [sku.pk], at=at, by=by)[sku.pk]

    def rule(self) -> BufferRule:
        """A rule for thresholds of this channel."""
        return BufferRule.objects.create(
            account=self.account,
            channel=self.channel,
            name="Threshold",
            sequence=1,
            threshold=2,
            starts_at=NOON,
        )


def a_shop(*, nodes: int = 1) -> Shop:
    """A channel that ships from so many nodes of its account."""
    channel = ChannelFactory()
    known = [NodeFactory(account=channel.account) for _ in range(nodes)]
    for node in known:
        ChannelNodeFactory(channel=channel, node=node)
    return Shop(channel, known)


class _Told:
    """Demand that says what it was told to say."""

    def __init__(self, units: Mapping[int, int]) -> None:
        self.units = units

    def unplaced(self, sku_ids: Collection[int] | None) -> Mapping[int, int]:
        return {
            sku_id: units
            for sku_id, units in self.units.items()
            if sku_ids is None or sku_id in sku_ids
        }

    def newest(self, channel_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        del channel_ids
        return {}


@contextmanager
def unplaced(units: Mapping[int, int]) -> Iterator[None]:
    """So many units of these SKUs are sold, and have no place yet."""
    with demand.replaced(_Told(units)):
        yield
