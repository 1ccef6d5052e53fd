from datetime import datetime

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "routing"
    verbose_name = "Routing"

    def ready(self) -> None:
        from config.kernel import events, ticker
        from config.kernel.services import jobs
        from orders import foretelling, sourcing
        from routing import handlers, rematching
        from routing.foretelling import Foreteller
        from routing.planner import Planner
        from routing.services import certificates, simulations

        sourcing.register(Planner())
        foretelling.register(Foreteller())
        ticker.register("routing.publish_scheduled", 30, publish_scheduled)
        ticker.register("routing.sweep_quotes", 3_600, sweep_quotes)
        ticker.register("routing.sweep_simulations", 3_600, sweep_simulations)
        ticker.register("routing.follow_shadows", 15, follow_shadows)
        ticker.register("routing.rematch", 120, rematching.rematch_apart)
        events.subscribe(handlers.CONSUMER, handlers.TOPICS, handlers.on_supply_moved)
        ticker.register("routing.certify_due", 3_600, certify_due)
        jobs.register(simulations.JOB, simulations.play_decisions)
        jobs.register(certificates.JOB, certificates.certify_items)


def publish_scheduled(at: datetime) -> None:
    """The sweep's step: policies whose time has come go live."""
    from config.kernel.types import Actor
    from routing import services

    services.publish_scheduled(at=at, actor=Actor.system("routing.publish_scheduled"))


def sweep_quotes(at: datetime) -> None:
    """The sweep's step: quotes that expired long ago are forgotten."""
    from routing import services

    services.sweep_quotes(at=at)


def sweep_simulations(at: datetime) -> None:
    """The sweep's step: what was tried long ago is forgotten."""
    from routing.services import simulations

    simulations.sweep_simulations(at=at)


def follow_shadows(at: datetime) -> None:
    """The sweep's step: versions that run beside live see what was decided since."""
    from config.kernel.types import Actor
    from routing.services import shadows

    shadows.follow_shadows(at=at, actor=Actor.system("routing.follow_shadows"))


def certify_due(at: datetime) -> None:
    """The sweep's step: last week's certificate, once there is a last week."""
    from config.kernel.types import Actor
    from routing.services import certificates

    certificates.certify_due(at=at, actor=Actor.system("routing.certify_due"))
