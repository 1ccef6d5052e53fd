from django.urls import path

from routing.api.views import OrderDecisionsView

urlpatterns = [
    path("orders/<uuid:order_id>/decisions", OrderDecisionsView.as_view(), name="order-decisions"),
]
