from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from integrations.payments.fakepay.client import FakePayProvider


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        from config.kernel import case_reports, registry, ticker
        from config.kernel.registry import Kind
        from fulfillment import carriers
        from integrations import cases
        from integrations.carriers import paper
        from integrations.payments import fakepay
        from orders import payments

        registry.register(
            Kind(
                "inbox_message",
                "Message",
                lambda key: f"/admin/integrations/inboxmessage/{key}/change/",
            )
        )
        case_reports.declare(*cases.KINDS)
        payments.register(fakepay.CODE, fakepay_provider)
        carriers.register(paper.CODE, paper.PaperCarrier)
        ticker.register("integrations.apply_unsettled", 30, apply_unsettled)


@lru_cache(maxsize=1)
def fakepay_provider() -> "FakePayProvider":
    """The client of the fake provider, with one connection pool per process."""
    from config.env import env
    from integrations.payments import fakepay
    from integrations.payments.fakepay.client import FakePayProvider

    return FakePayProvider(env("FAKEPAY_URL", default=fakepay.DEFAULT_URL))


def apply_unsettled(at: datetime) -> None:
    """The sweep's step: try again the messages that a crash or a fault left behind."""
    from config.kernel.types import Actor
    from integrations import services

    services.apply_unsettled(
        now=datetime.now(UTC), at=at, actor=Actor.system("integrations.apply_unsettled")
    )
