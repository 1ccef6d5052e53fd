"""The orders API alone, as the tests of orders mount it."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from orders.api.urls import routes

router = SimpleRouter(trailing_slash=False)
routes(router)
urlpatterns = [path("api/v1/", include(router.urls))]
