"""Routes of the fulfillment API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from fulfillment.api.manifests import ManifestViewSet
from fulfillment.api.parcels import ParcelViewSet
from fulfillment.api.views import FulfillmentOrderViewSet


def routes(router: BaseRouter) -> None:
    router.register("fulfillment-orders", FulfillmentOrderViewSet, "fulfillment-order")
    router.register("manifests", ManifestViewSet, "manifest")
    router.register("parcels", ParcelViewSet, "parcel")
