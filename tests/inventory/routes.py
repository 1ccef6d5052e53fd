"""The stock API alone, at its real address."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from inventory.api.urls import routes

router = SimpleRouter()
routes(router)
urlpatterns = [path("api/v1/", include(router.urls))]
