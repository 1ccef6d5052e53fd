from django.urls import path

from routing.api.pledges import PledgeViewSet
from routing.api.policies import PolicyViewSet
from routing.api.quotes import PromiseQuoteView, QuotePromisesView
from routing.api.simulations import SimulationViewSet
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
    path(
        "routing/simulations",
        SimulationViewSet.as_view({"get": "list", "post": "create"}),
        name="routing-simulations",
    ),
    path(
        "routing/simulations/<uuid:pk>",
        SimulationViewSet.as_view({"get": "retrieve"}),
        name="routing-simulation",
    ),
    path(
        "routing/simulations/<uuid:pk>/moved",
        SimulationViewSet.as_view({"get": "moved"}),
        name="routing-simulation-moved",
    ),
    path("promises/quote", QuotePromisesView.as_view(), name="promise-quotes"),
    path("promises/quotes/<uuid:pk>", PromiseQuoteView.as_view(), name="promise-quote"),
    path(
        "promises/pledges",
        PledgeViewSet.as_view({"get": "list", "post": "create"}),
        name="channel-pledges",
    ),
    path(
        "promises/pledges/<uuid:pk>/end",
        PledgeViewSet.as_view({"post": "end"}),
        name="channel-pledge-end",
    ),
    path("orders/<uuid:order_id>/decisions", OrderDecisionsView.as_view(), name="order-decisions"),
]
