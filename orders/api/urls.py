"""Routes of the orders API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from orders.api.views import OrderViewSet


def routes(router: BaseRouter) -> None:
    router.register("orders", OrderViewSet, "order")
