from django.apps import AppConfig


class FulfillmentConfig(AppConfig):
    """Executes: fulfillment orders at nodes, parcels, labels, tracking, pickups."""

    name = "fulfillment"
    verbose_name = "Fulfillment"

    def ready(self) -> None:
        from fulfillment import registration  # models must be there first

        registration.register_all()
