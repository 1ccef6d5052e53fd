from django.urls import path

from routing.api.policies import PolicyViewSet
from routing.api.views import OrderDecisionsView

_VERBS = (
    ("submit", "post"),
    ("send-back", "post"),
    ("publish", "post"),
    ("schedule", "post"),
    ("retire", "post"),
    ("roll-back", "post"),
    ("differences", "get"),
    ("findings", "get"),
)

urlpatterns = [
    path(
        "routing/policies",
        PolicyViewSet.as_view({"get": "list", "post": "create"}),
        name="routing-policies",
    ),
    path(
        "routing/policies/<uuid:pk>",
        PolicyViewSet.as_view({"get": "retrieve"}),
        name="routing-policy",
    ),
    *(
        path(
            f"routing/policies/<uuid:pk>/{verb}",
            PolicyViewSet.as_view({method: verb.replace("-", "_")}),
            name=f"routing-policy-{verb}",
        )
        for verb, method in _VERBS
    ),
    path("orders/<uuid:order_id>/decisions", OrderDecisionsView.as_view(), name="order-decisions"),
]
