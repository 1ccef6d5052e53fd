"""Filters on the tables of returns. `locked()` is inherited: ascending primary key, nothing else."""

from collections.abc import Collection
from datetime import datetime
from typing import Self
from uuid import UUID

from config.kernel.querysets import ScopedQuerySet
from returns.states import EXPECTED, OPEN_RETURN, ReturnState


class ReturnQuerySet(ScopedQuerySet):
    def open(self) -> Self:
        return self.filter(state__in=OPEN_RETURN)

    def expected(self) -> Self:
        return self.filter(state__in=EXPECTED)

    def of_orders(self, order_ids: Collection[UUID]) -> Self:
        return self.filter(order_id__in=list(order_ids))

    def overdue(self, at: datetime) -> Self:
        """Authorised, and nothing was heard of it until it lapsed."""
        return self.filter(state=ReturnState.AUTHORIZED, expires_at__lt=at)

    def at_nodes(self, node_ids: Collection[int] | None) -> Self:
        """Those that come, or came, to the nodes; None is every node."""
        return self if node_ids is None else self.filter(node_id__in=list(node_ids))
