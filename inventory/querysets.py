"""Which rows of supply an account reaches."""

from typing import Self

from django.db.models import Q

from config.kernel.querysets import ScopedQuerySet
from config.kernel.types import Scope


class NodeQuerySet(ScopedQuerySet):
    """Nodes are shared between accounts by grant; each sees only those granted to it."""

    def for_scope(self, scope: Scope) -> Self:
        reached: Self = self._chain()  # type: ignore[attr-defined]  # as in the base class
        if not scope.everything:
            granted = Q(grants__account_id__in=sorted(scope.account_ids))
            reached = reached.filter(pk__in=self.model._base_manager.filter(granted).values("pk"))
        reached._scoped = True
        return reached


class StockQuerySet(ScopedQuerySet):
    """Positions, levels and movements of an account."""

    def of(self, sku_ids: object, node_ids: object = None) -> Self:
        """Rows of these SKUs, at these nodes when they are named."""
        found = self.filter(sku_id__in=sku_ids)
        return found if node_ids is None else found.filter(node_id__in=node_ids)
