"""The nodes that fulfillment orders are at, as inventory sees them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import inventory.selectors
from config.kernel import versions
from inventory.types import NodeView


def nodes_of(account_ids: Iterable[UUID]) -> Mapping[int, NodeView]:
    """Every node granted to these accounts, by id. One statement while the process knows them."""
    version = versions.read(["network"])["network"]
    return {
        node.id: node
        for account_id in sorted(set(account_ids))
        for node in inventory.selectors.network(account_id, version=version)
    }
