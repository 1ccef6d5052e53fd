"""What operators have done with a channel: compare it now, send again what differs, test it."""

from uuid import UUID

from config.kernel.errors import NotFound
from config.kernel.types import Actor
from integrations import connections
from integrations.channels import port
from integrations.channels.copies import ask_waiting, heal_copies
from integrations.channels.reconciling import start_comparison
from integrations.channels.types import Reply
from integrations.models import Connection
from integrations.types import ConnectionRef

__all__ = ["ask_waiting", "heal_copies", "start_comparison", "test_connection"]


def test_connection(connection_id: UUID, *, actor: Actor) -> Reply:
    """Ask the shop for something harmless, with our credentials. Called with no transaction open.

    Raises NotFound outside the actor's accounts.
    """
    return port.shop(_reached(connection_id, actor)).answers()


def _reached(connection_id: UUID, actor: Actor) -> ConnectionRef:
    found = Connection.objects.for_scope(actor.scope).filter(pk=connection_id).first()
    if found is None or not port.known(found.adapter):
        raise NotFound("There is no such connection to a shop.")
    return connections.ref_of(found)
