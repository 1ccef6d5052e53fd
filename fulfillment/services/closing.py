"""A node comes to its end: what it has and has not begun goes back, and it closes once it is empty."""

from datetime import datetime

import inventory.services
from config.kernel.errors import Conflict
from config.kernel.types import Actor
from fulfillment.at_node import left_at


def close_node(node_id: int, *, at: datetime, actor: Actor) -> None:
    """The node executes nothing any more.

    Raises Conflict that says what is still open there, of whichever account, and while anything is
    reserved there. A node that drains is given nothing new, so what was counted only becomes less.
    """
    left = left_at(node_id)
    if left:
        raise Conflict(f"Work is still open there: {left.in_words}.")
    inventory.services.close_node(node_id, at=at, actor=actor)
