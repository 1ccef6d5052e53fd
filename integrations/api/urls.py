from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from integrations.api.views import WebhookView
from integrations.webhooks_out.api import WebhookEndpointViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=True)
router.register("webhook-endpoints", WebhookEndpointViewSet, "webhook-endpoint")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path(
        "webhooks/<slug:adapter>/<slug:code>",
        WebhookView.as_view(),
        name="webhook",
    ),
]
