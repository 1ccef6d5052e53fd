from datetime import datetime

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "routing"
    verbose_name = "Routing"

    def ready(self) -> None:
        from config.kernel import ticker
        from orders import foretelling, sourcing
        from routing.foretelling import Foreteller
        from routing.planner import Planner

        sourcing.register(Planner())
        foretelling.register(Foreteller())
        ticker.register("routing.publish_scheduled", 30, publish_scheduled)


def publish_scheduled(at: datetime) -> None:
    """The sweep's step: policies whose time has come go live."""
    from config.kernel.types import Actor
    from routing import services

    services.publish_scheduled(at=at, actor=Actor.system("routing.publish_scheduled"))
