from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Supply: the network, SKUs, stock, its ledger and the claims on it. Knows no order."""

    name = "inventory"
    verbose_name = "Inventory"

    def ready(self) -> None:
        from inventory import registration  # models must be there first

        registration.register_all()
