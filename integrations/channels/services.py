"""What operators have done with a channel: compare it now, send again what differs, test it."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.kernel import clock
from config.kernel.errors import NotFound
from config.kernel.services import intents
from config.kernel.services.intents import Answer, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections
from integrations.channels import polling, port
from integrations.channels.copies import ask_waiting, heal_copies
from integrations.channels.polling import Turn
from integrations.channels.types import Reply
from integrations.models import ChannelCopy, Connection, CopyKind
from integrations.types import ConnectionRef

__all__ = ["ask_waiting", "heal_copies", "reconcile_now", "test_connection"]

RECONCILE: Final = "channel.reconcile"
"""The intent by which a channel is compared at somebody's word: shops are never asked by a command."""
DAYS: Final = 30
AT_ONCE: Final = 500


@transaction.atomic
def reconcile_now(
    connection_id: UUID, *, days: int = DAYS, at: datetime, actor: Actor
) -> UUID | None:
    """Have the shop read from where the last turn came to, and every order of these days compared.

    Answers the intent that does it; None while one that was asked for at the same time stands.
    Raises NotFound outside the actor's accounts.
    """
    ref = _reached(connection_id, actor)
    key = f"{ref.id}:{at.isoformat()}"
    since = (at - timedelta(days=days)).isoformat()
    written = intents.add([_reconcile(ref, key, {"since": since})], at=at, actor=actor)
    return written[0] if written else None


def test_connection(connection_id: UUID, *, actor: Actor) -> Reply:
    """Ask the shop for something harmless, with our credentials. Called with no transaction open.

    Raises NotFound outside the actor's accounts.
    """
    return port.shop(_reached(connection_id, actor)).answers()


def perform_reconcile(intent: LeasedIntent) -> Answer:
    """Read what has changed, then compare a portion of the orders that the shop was told of."""
    ref = connections.by_id(UUID(intent.payload["connection"]))
    at = clock.now()
    actor = Actor.system("integrations.reconcile", causation_id=str(intent.id))
    after = intent.payload.get("after")
    turn = Turn(reached=True) if after else polling.ask_connection(ref, at=at, actor=actor)
    orders = _told_orders(ref, datetime.fromisoformat(intent.payload["since"]), after)
    if turn.reached and orders:
        turn += polling.compare_orders(
            ref, [external for _, external in orders], at=at, actor=actor
        )
    if not turn.reached:
        return Answer.retry("The shop could not be read to the end.")
    ahead = str(orders[-1][0]) if len(orders) == AT_ONCE else ""
    return Answer.done(
        read=turn.read,
        missing_here=turn.missing_here,
        compared=turn.compared,
        missing_there=turn.missing_there,
        different=turn.different,
        healed=turn.healed,
        after=ahead,
    )


@transaction.atomic
def record_reconcile(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Go on with the next portion of orders."""
    if not answer.data.get("after"):
        return
    ref = connections.by_id(UUID(intent.payload["connection"]))
    more = {"since": intent.payload["since"], "after": answer.data["after"]}
    key = f"{intent.key.partition('#')[0]}#{answer.data['after']}"
    intents.add([_reconcile(ref, key, more)], at=at, actor=actor)


def _reconcile(ref: ConnectionRef, key: str, payload: dict[str, Any]) -> NewIntent:
    return NewIntent(
        RECONCILE,
        key,
        "connection",
        ref.id,
        ref.account_id,
        {"connection": str(ref.id), **payload},
        f"channel-reconcile:{ref.id}",
    )


def _told_orders(ref: ConnectionRef, since: datetime, after: str | None) -> list[tuple[UUID, str]]:
    """(copy, the order's id there) of orders that the shop has or was told of, by id."""
    rows = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        connection_id=ref.id, kind=CopyKind.ORDER, seen_at__gte=since
    )
    if after:
        rows = rows.filter(pk__gt=UUID(after))
    return list(rows.order_by("pk").values_list("pk", "their_id")[:AT_ONCE])


def _reached(connection_id: UUID, actor: Actor) -> ConnectionRef:
    found = Connection.objects.for_scope(actor.scope).filter(pk=connection_id).first()
    if found is None or not port.known(found.adapter):
        raise NotFound("There is no such connection to a shop.")
    return connections.ref_of(found)
