"""A channel compared at somebody's word, as a job: one item reads its news, one is each order of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import NotFound
from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import Actor, Outcome
from integrations import connections
from integrations.channels import polling, port
from integrations.models import ChannelCopy, Connection, CopyKind, CopyState
from integrations.types import ConnectionRef

COMPARE_JOB: Final = "channels.compare"
DAYS: Final = 30
_ODD: Final = (CopyState.DIFFERENT, CopyState.MISSING, CopyState.REFUSED)
_UNREAD: Final[Outcome[UUID]] = Outcome.refused(
    "unreachable", "The shop could not be read to the end: try it again."
)


def start_comparison(connection_id: UUID, *, days: int = DAYS, at: datetime, actor: Actor) -> Job:
    """Have the shop read from where the last turn came to, then every order of these days compared.

    The caller rings the job. Raises NotFound outside the actor's accounts.
    """
    found = Connection.objects.for_scope(actor.scope).filter(pk=connection_id).first()
    if found is None or not port.known(found.adapter):
        raise NotFound("There is no such connection to a shop.")
    orders = (
        ChannelCopy.objects.for_scope(actor.scope)
        .filter(connection_id=found.pk, kind=CopyKind.ORDER, seen_at__gte=at - timedelta(days=days))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return jobs.enqueue(
        COMPARE_JOB,
        f"Compare {found.name}",
        {"connection": str(found.pk)},
        [found.pk, *orders],
        account_id=found.account_id,
        at=at,
        actor=actor,
    )


def compare_items(
    item_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Compare some orders, and where the connection itself is among the items read its news first.

    Called with no transaction open. An order is refused where something of it still differs there.
    """
    ref = connections.by_id(UUID(params["connection"]))
    outcomes: dict[UUID, Outcome[UUID]] = {}
    if ref.id in item_ids:
        news = polling.ask_connection(ref, at=at, actor=actor)
        outcomes[ref.id] = Outcome.done(ref.id) if news.reached else _UNREAD
    wanted = dict(
        ChannelCopy.objects.for_scope(actor.scope)
        .filter(pk__in=item_ids, connection_id=ref.id)
        .values_list("pk", "their_id")
    )
    if wanted:
        turn = polling.compare_orders(ref, sorted(wanted.values()), at=at, actor=actor)
        judged = (
            _judged(ref, list(wanted), actor) if turn.reached else dict.fromkeys(wanted, _UNREAD)
        )
        outcomes |= judged
    gone: Outcome[UUID] = Outcome.refused("not-found", "It is not known there any more.")
    return [outcomes.get(one, gone) for one in item_ids]


def _judged(
    ref: ConnectionRef, copy_ids: Sequence[UUID], actor: Actor
) -> dict[UUID, Outcome[UUID]]:
    """How each order stands there now, by the copy that the item is."""
    copies = ChannelCopy.objects.for_scope(actor.scope).filter(connection_id=ref.id)
    of_orders = dict(copies.filter(pk__in=copy_ids).values_list("pk", "order_id"))
    odd: dict[UUID | None, str] = {}
    for copy in copies.filter(order_id__in=of_orders.values(), state__in=_ODD).order_by("-pk"):
        why = f": {copy.failure}" if copy.failure else "."
        odd[copy.order_id] = f"{copy.get_kind_display()}, {copy.get_state_display().lower()}{why}"
    return {
        copy_id: Outcome.refused("differs", odd[order_id])
        if order_id is not None and order_id in odd
        else Outcome.done(copy_id)
        for copy_id, order_id in of_orders.items()
    }
