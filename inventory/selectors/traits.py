"""What SKUs are like and where nodes belong, for those who choose by it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import NodeGroupMember, Sku

_TRAITS = (
    "pk",
    "code",
    "kind",
    "brand__code",
    "storage",
    "regulation",
    "hazard_class",
    "hazmat",
    "weight_grams",
    "attributes",
)
_ELSEWHERE = """
    WITH held AS MATERIALIZED (
        SELECT sku_id, array_agg(node_id) AS nodes FROM inventory_stockposition
        WHERE account_id = %(account)s AND node_id = ANY(%(network)s::bigint[])
          AND sellable - reserved - landed - buffer > 0
        GROUP BY sku_id
    ), allowed AS (
        SELECT place, array_agg(node_id) AS nodes
        FROM unnest(%(places)s::int[], %(allowed)s::bigint[]) AS allowed (place, node_id) GROUP BY 1
    )
    SELECT a.place, count(*), (array_agg(s.code ORDER BY s.code))[1:%(examples)s]
    FROM allowed a JOIN held h ON NOT h.nodes && a.nodes JOIN inventory_sku s ON s.id = h.sku_id
    GROUP BY a.place ORDER BY a.place
"""


@dataclass(frozen=True, slots=True)
class Traits:
    """A SKU by what it is. `own` are the account's attributes, each as text."""

    code: str
    kind: str
    brand: str
    storage: str
    regulation: str
    hazard_class: str
    hazmat: bool
    weight_grams: int
    own: Mapping[str, str]


def traits(sku_ids: Collection[int]) -> dict[int, Traits]:
    """By SKU. One statement."""
    found = Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=sku_ids).values(*_TRAITS)
    return {
        row["pk"]: Traits(
            code=row["code"],
            kind=row["kind"],
            brand=row["brand__code"] or "",
            storage=row["storage"],
            regulation=row["regulation"],
            hazard_class=row["hazard_class"],
            hazmat=row["hazmat"],
            weight_grams=row["weight_grams"],
            own={name: str(value) for name, value in row["attributes"].items()},
        )
        for row in found
    }


def groups_of_nodes(account_id: UUID) -> dict[int, frozenset[str]]:
    """The codes of the account's groups that each node stands in. One statement."""
    rows = NodeGroupMember.objects.filter(group__account_id=account_id)
    found: dict[int, set[str]] = {}
    for node_id, code in rows.values_list("node_id", "group__code"):
        found.setdefault(node_id, set()).add(code)
    return {node_id: frozenset(codes) for node_id, codes in found.items()}


def goods_elsewhere(
    account_id: UUID, network: Sequence[int], allowed: Sequence[Sequence[int]], *, examples: int
) -> list[tuple[int, int, list[str]]]:
    """For each choice among a network's nodes, the SKUs that only the others have free.

    (the choice's place, how many SKUs, some of their codes); a choice that lacks nothing is absent.
    One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _ELSEWHERE,
            {
                "account": account_id,
                "network": list(network),
                "places": [place for place, nodes in enumerate(allowed) for _ in nodes],
                "allowed": [node_id for nodes in allowed for node_id in nodes],
                "examples": examples,
            },
        )
        return [(place, count, codes) for place, count, codes in cursor.fetchall()]
