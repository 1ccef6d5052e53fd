"""What the carriers tell the registries at start-up."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from config.kernel import case_reports, ticker
from config.kernel.types import Actor
from fulfillment import carriers
from integrations import adapters, appliers, dialects
from integrations.carriers import aftership, cases, easypost, generic
from integrations.carriers.directory import ADAPTERS, ConnectedCarriers
from integrations.carriers.news import TrackingApplier
from integrations.carriers.reading import Reading
from integrations.types import ConnectionRef

if TYPE_CHECKING:
    from integrations.carriers.paper import PaperCarrier

ASK_SECONDS = 60


def register_all() -> None:
    """Called once, from `ready()`."""
    adapters.declare(*ADAPTERS)
    dialects.register(aftership.DIALECT, easypost.DIALECT, generic.DIALECT)
    appliers.register(easypost.NAME, TrackingApplier(read_easypost, easypost.concerns_parcels))
    appliers.register(aftership.NAME, TrackingApplier(read_aftership, every_topic))
    appliers.register(generic.NAME, TrackingApplier(read_generic, every_topic))
    case_reports.declare(*cases.KINDS)
    carriers.register("paper", paper_carrier)
    carriers.register_directory(ConnectedCarriers())
    ticker.register("integrations.ask_carriers", ASK_SECONDS, ask_carriers)


def every_topic(topic: str) -> bool:
    del topic
    return True


# Both follow parcels of many carriers, and push each to every address that they know: the number
# alone names the parcel, and the scan has one name whichever connection it came by.


def read_easypost(document: Any, ref: ConnectionRef) -> list[Reading]:
    return easypost.read(document, source=ref.adapter, carrier_code="")


def read_aftership(document: Any, ref: ConnectionRef) -> list[Reading]:
    return aftership.read(document, source=ref.adapter, carrier_code="")


def read_generic(document: Any, ref: ConnectionRef) -> list[Reading]:
    return generic.read(document, ref.settings, source=ref.code, carrier_code=ref.carrier_code)


def paper_carrier() -> "PaperCarrier":
    """The paper carrier; what draws its labels is loaded with the first question to it."""
    from integrations.carriers.paper import PaperCarrier

    return PaperCarrier()


def ask_carriers(at: datetime) -> None:
    """The sweep's step: ask about parcels that nothing was heard of."""
    from integrations.carriers import polling

    polling.ask_silent(at=at, actor=Actor.system("integrations.ask_carriers"))
