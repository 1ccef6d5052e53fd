"""Routes of the stock API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from inventory.api.availability import AvailabilityViewSet
from inventory.api.moves import AdjustmentViewSet, CountViewSet, TransferViewSet
from inventory.api.rules import BufferRuleViewSet, QuotaViewSet
from inventory.api.views import NodeViewSet, ReservationViewSet, SkuViewSet, StockViewSet


def routes(router: BaseRouter) -> None:
    router.register("skus", SkuViewSet, "sku")
    router.register("nodes", NodeViewSet, "node")
    router.register("stock", StockViewSet, "stock")
    router.register("reservations", ReservationViewSet, "reservation")
    router.register("availability", AvailabilityViewSet, "availability")
    router.register("buffer-rules", BufferRuleViewSet, "buffer-rule")
    router.register("quotas", QuotaViewSet, "quota")
    router.register("adjustments", AdjustmentViewSet, "adjustment")
    router.register("transfers", TransferViewSet, "transfer")
    router.register("counts", CountViewSet, "count")
