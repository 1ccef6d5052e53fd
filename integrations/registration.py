"""What the integrations tell the registries at start-up: the inbox here, each package its own."""

from datetime import UTC, datetime

from config.kernel import case_reports, registry, ticker
from config.kernel.registry import Kind
from config.kernel.types import Actor
from integrations import cases
from integrations.buyer import registration as buyer
from integrations.carriers import registration as carriers
from integrations.channels import registration as channels
from integrations.payments import registration as payments
from integrations.selectors import body_keys
from integrations.services.sent_orders import keep_sent_orders
from integrations.warehouses import registration as warehouses
from integrations.webhooks_out import registration as webhooks_out
from orders import erasing, keeping


def register_all() -> None:
    """Called once, from `ready()`."""
    registry.register(
        Kind(
            "inbox_message",
            "Message",
            lambda key: f"/console/inbox/{key}/",
        )
    )
    registry.register(
        Kind(
            "connection",
            "Connection",
            lambda key: f"/console/channels/{key}/",
        )
    )
    case_reports.declare(*cases.KINDS)
    erasing.declare("integrations.messages", body_keys)
    keeping.register(keep_sent_orders)
    ticker.register("integrations.apply_unsettled", 30, apply_unsettled)
    ticker.register("integrations.report_silent", 60, report_silent)
    channels.register_all()
    carriers.register_all()
    payments.register_all()
    buyer.register_all()
    warehouses.register_all()
    webhooks_out.register_all()


def apply_unsettled(at: datetime) -> None:
    """The sweep's step: try again the messages that a crash or a fault left behind."""
    from integrations import services

    services.apply_unsettled(
        now=datetime.now(UTC), at=at, actor=Actor.system("integrations.apply_unsettled")
    )


def report_silent(at: datetime) -> None:
    """The sweep's step: silence is an error."""
    from integrations import services

    services.report_silent(at=at)
