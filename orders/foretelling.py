"""The decision port that says when goods that are still to come would leave and arrive.

Routing implements it; it reads and returns values.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orders.sourcing import Demand, PlannedPromise


class Foretelling(Protocol):
    """Knows how long a node takes, and the road from it."""

    def foretell(self, demands: Sequence[Demand], *, at: datetime) -> list[PlannedPromise | None]:
        """When each demand would leave its pinned node, were all of it there at `not_before`.

        None where that node would not send it. What is in stock plays no part. The number of
        statements does not depend on the number of demands.
        """


_registered: list[Foretelling] = []


def register(implementation: Foretelling) -> None:
    """Make the implementation known; called once, from the upper app's `ready()`."""
    if _registered:
        raise ValueError("foretelling is registered twice")
    _registered.append(implementation)


def foretelling() -> Foretelling:
    """The registered implementation. Raises LookupError when no app has registered one."""
    if not _registered:
        raise LookupError("no foretelling is registered")
    return _registered[0]
