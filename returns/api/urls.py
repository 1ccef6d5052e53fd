"""Routes of the returns API, taken in by the versioned router."""

from rest_framework.routers import BaseRouter

from returns.api.claims import ClaimViewSet
from returns.api.views import ReturnViewSet


def routes(router: BaseRouter) -> None:
    router.register("returns", ReturnViewSet, "return")
    router.register("claims", ClaimViewSet, "claim")
