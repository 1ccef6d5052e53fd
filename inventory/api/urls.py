"""Routes of the stock API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from inventory.api.views import NodeViewSet, ReservationViewSet, SkuViewSet, StockViewSet


def routes(router: BaseRouter) -> None:
    router.register("skus", SkuViewSet, "sku")
    router.register("nodes", NodeViewSet, "node")
    router.register("stock", StockViewSet, "stock")
    router.register("reservations", ReservationViewSet, "reservation")
