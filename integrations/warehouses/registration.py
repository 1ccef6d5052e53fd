"""What the warehouses tell the registries at start-up."""

from datetime import datetime
from typing import Final

from config.kernel import case_reports, events, ticker
from config.kernel.services import intents
from config.kernel.types import Actor
from integrations import adapters, appliers, dialects
from integrations.types import ConnectionRef
from integrations.warehouses import cases, handlers, port, protocol, sending
from integrations.warehouses.applier import WarehouseApplier

ASK_SECONDS: Final = 60


def register_all() -> None:
    """Called once, from `ready()`."""
    dialects.register(protocol.DIALECT, protocol.SUPPLIER_DIALECT)
    for name in (protocol.NAME, protocol.SUPPLIER):
        adapters.declare(name)
        appliers.register(name, WarehouseApplier(protocol.read))
        port.register(name, protocol_warehouse)
    case_reports.declare(*cases.KINDS)
    events.subscribe(handlers.CONSUMER, handlers.TOPICS, handlers.tell_warehouses)
    intents.register(
        sending.RELEASE,
        sending.release,
        on_answer=sending.record_release,
        find=sending.find_release,
    )
    intents.register(sending.ASK, sending.ask, on_answer=sending.record_request)
    intents.register(sending.COUNT, sending.ask_count, on_answer=sending.record_count)
    ticker.register("integrations.ask_warehouses", ASK_SECONDS, ask_warehouses)


def protocol_warehouse(ref: ConnectionRef) -> port.Warehouse:
    """A system that speaks the protocol; its client is loaded with the first call."""
    from integrations.warehouses.wms import ProtocolWarehouse

    return ProtocolWarehouse.of(ref)


def ask_warehouses(at: datetime) -> None:
    """The sweep's step: read what pushes may have lost."""
    from integrations.warehouses import polling

    polling.ask_due(at=at, actor=Actor.system("integrations.ask_warehouses"))
