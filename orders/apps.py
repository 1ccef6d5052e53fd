from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Demand: customers, orders, lines, holds, promises, changes and money."""

    name = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        from orders import registration  # models must be there first

        registration.register_all()
