from django.apps import AppConfig


class ReturnsConfig(AppConfig):
    """Undoes: returns, receipts, inspections, exchanges, and claims for what never arrived."""

    name = "returns"
    verbose_name = "Returns"

    def ready(self) -> None:
        from returns import registration  # models must be there first

        registration.register_all()
