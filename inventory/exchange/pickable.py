"""As a file: how long units take until they can be picked, by node and condition."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.services.pickable import CONDITIONS, LONGEST_MINUTES


def _current(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    wanted = None if keys is None else set(keys)
    for node, condition, minutes in selectors.pickable_times(Scope(frozenset({account_id}))):
        if wanted is None or (node, condition) in wanted:
            yield {"node": node, "condition": condition, "minutes": minutes}


def _write(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    scope = Scope(frozenset({account_id}))
    nodes = selectors.nodes_by_code({row["node"] for row in rows}, scope)
    services.set_pickable_times(
        {
            (nodes[row["node"]], row["condition"]): row["minutes"]
            for row in rows
            if row["node"] in nodes
        },
        at=at,
        actor=actor,
    )
    unknown = Refusal("node", "unknown-node", "There is no such node; use its code.")
    return [None if row["node"] in nodes else unknown for row in rows]


PICKABLE_TIMES: Final = Kind(
    code="pickable_times",
    label="Pickable times",
    about="Minutes until what lies in receiving or in reserve storage can be picked at a node.",
    columns=(
        Column("node", Text(32), needed=True),
        Column("condition", Choice(sorted(CONDITIONS)), needed=True),
        Column("minutes", Whole(0, LONGEST_MINUTES), needed=True),
    ),
    key=("node", "condition"),
    current=_current,
    write=_write,
    permission=Permission.NETWORK_EDIT,
)
