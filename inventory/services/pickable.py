"""How long what lies in receiving or in reserve storage takes until it can be picked."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change, record
from config.kernel.types import Actor
from inventory.models import Node, PickableTime
from inventory.states import Condition

LONGEST_MINUTES = 30 * 24 * 60
CONDITIONS = frozenset({Condition.RECEIVING.value, Condition.RESERVE_STORAGE.value})


@transaction.atomic
def set_pickable_times(
    minutes: Mapping[tuple[int, str], int], *, at: datetime, actor: Actor
) -> None:
    """Say for (node, condition) after how many minutes units there can be picked.

    Raises NotFound for a node out of the actor's reach, Invalid for another condition or a time
    beyond thirty days.
    """
    wanted = sorted(minutes)
    nodes = {node_id for node_id, _ in wanted}
    if Node.objects.for_scope(actor.scope).filter(pk__in=nodes).count() != len(nodes):
        raise NotFound("There is no such node.")
    if any(condition not in CONDITIONS for _, condition in wanted):
        raise Invalid("Only receiving and reserve storage become pickable by themselves.")
    if any(not 0 <= value <= LONGEST_MINUTES for value in minutes.values()):
        raise Invalid(f"A time is 0 to {LONGEST_MINUTES:,} minutes.")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_pickabletime AS known (node_id, condition, minutes)
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::int[])
            ON CONFLICT (node_id, condition) DO UPDATE SET minutes = excluded.minutes
            WHERE known.minutes <> excluded.minutes
            RETURNING id
            """,
            [
                [node_id for node_id, _ in wanted],
                [condition for _, condition in wanted],
                [minutes[key] for key in wanted],
            ],
        )
        changed = [row[0] for row in cursor.fetchall()]
    record(PickableTime, changed, Change.CHANGED, at=at, actor=actor, reason="set")
