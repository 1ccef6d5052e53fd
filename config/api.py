"""The REST API, version 1: every app's routes, the schema and its pages."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

import config.api_schema  # noqa: F401  # registers the authentication scheme
import fulfillment.api.urls
import integrations.api.urls
import inventory.api.urls
import orders.api.urls
import returns.api.urls
import routing.api.urls
from config import promises_api

router = SimpleRouter(trailing_slash=False)
for app in (orders, inventory, fulfillment, returns):
    app.api.urls.routes(router)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(routing.api.urls.urlpatterns)),
    path("", include(integrations.api.urls.urlpatterns)),
    path("", include(promises_api.urlpatterns)),
    path("", include(router.urls)),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    # The page and its script apart: the content policy allows no script inside a page.
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]
