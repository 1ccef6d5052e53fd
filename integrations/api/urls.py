from django.urls import path

from integrations.api.views import WebhookView

urlpatterns = [
    path(
        "webhooks/<slug:dialect>/<slug:channel_code>",
        WebhookView.as_view(),
        name="webhook",
    ),
]
