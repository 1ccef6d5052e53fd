"""Filters on fulfillment's tables. `locked()` is inherited: ascending primary key, nothing else."""

from collections.abc import Collection
from datetime import datetime
from typing import Self

from django.db.models import Q

from config.kernel.querysets import ScopedQuerySet
from fulfillment.states import AT_THE_NODE, OPEN_FULFILLMENT, FulfillmentState


class FulfillmentOrderQuerySet(ScopedQuerySet):
    def at_nodes(self, node_ids: Collection[int] | None) -> Self:
        """Those of the nodes; None is every node."""
        return self if node_ids is None else self.filter(node_id__in=list(node_ids))

    def open(self) -> Self:
        return self.filter(state__in=OPEN_FULFILLMENT)

    def to_acknowledge(self) -> Self:
        return self.filter(state=FulfillmentState.RELEASED)

    def late(self, at: datetime) -> Self:
        """Not out of the door by `ship_by`."""
        return self.open().filter(ship_by__lt=at).exclude(state=FulfillmentState.READY_FOR_PICKUP)


class ParcelQuerySet(ScopedQuerySet):
    def at_nodes(self, node_ids: Collection[int] | None) -> Self:
        if node_ids is None:
            return self
        return self.filter(Q(fulfillment_order__node_id__in=list(node_ids)))

    def unshipped(self) -> Self:
        return self.filter(state__in=AT_THE_NODE)
