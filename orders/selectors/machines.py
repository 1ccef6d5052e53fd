"""The machines of orders as data: for whoever checks that history is a path of their graphs."""

from dataclasses import dataclass

from config.kernel.fsm import transitions_of
from orders.models import Authorization, Capture, Dispute, Hold, Order, Refund


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine's name, the table of its history, and the (source, target) pairs it declares."""

    name: str
    history_table: str
    steps: frozenset[tuple[str, str]]


def machines() -> list[Machine]:
    return [
        Machine(
            model.__name__.lower(),
            model.history.model._meta.db_table,
            frozenset((source, target) for _, source, target in transitions_of(model)),
        )
        for model in (Order, Hold, Authorization, Capture, Refund, Dispute)
    ]
