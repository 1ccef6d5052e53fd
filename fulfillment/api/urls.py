"""Routes of the fulfillment API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from fulfillment.api.views import FulfillmentOrderViewSet, ParcelViewSet


def routes(router: BaseRouter) -> None:
    router.register("fulfillment-orders", FulfillmentOrderViewSet, "fulfillment-order")
    router.register("parcels", ParcelViewSet, "parcel")
