"""What we need of a shop, whoever makes it: tell it, read it, set its stock figures.

Implementations are adapters; one conformance suite runs over each. None of these calls raises for
what became of it. `tell` looks before it acts: shops know no idempotency keys.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from config.kernel.errors import NotFound
from integrations.channels.types import Figures, FiguresSet, NewFigure, Page, Refunds, Reply, Wish
from integrations.types import ConnectionRef


class Shop(Protocol):
    """One shop. `calls` is how much of its call limit is used, where it says so: (used, most).

    `compares` says that a figure is compared and set in one step there.
    """

    calls: tuple[int, int] | None
    compares: bool

    def tell(self, wish: Wish) -> Reply:
        """Have it hold this, once: what it holds already is done."""

    def find(self, wish: Wish) -> Reply | None:
        """Whether it holds this already; None when it does not."""

    def changed(self, since: datetime, cursor: str) -> Page:
        """Orders that have changed since, oldest first, a page at a time."""

    def orders(self, ids: Sequence[str]) -> Page:
        """These orders as they are there; one that is gone is absent."""

    def refunds(self, order: str) -> Refunds:
        """The refunds of one order with their lines, where the order itself does not tell them."""

    def figures(self, wanted: Collection[str]) -> Figures:
        """What it says of its stock of these SKUs; one that it does not sell is absent."""

    def set_figures(self, wanted: Sequence[NewFigure]) -> FiguresSet:
        """Set figures that have not moved since they were read."""

    def answers(self) -> Reply:
        """Whether it answers, and takes our credentials."""


Factory = Callable[[ConnectionRef], Shop]
_factories: dict[str, Factory] = {}


def register(adapter: str, factory: Factory) -> None:
    """Say what speaks for an adapter; called from `registration.register_all()`."""
    if adapter in _factories:
        raise ValueError(f"the shop adapter {adapter} is registered twice")
    _factories[adapter] = factory


def shop(ref: ConnectionRef) -> Shop:
    """Raises NotFound for a connection of another kind of adapter."""
    try:
        return _factories[ref.adapter](ref)
    except KeyError:
        raise NotFound(f"No shop speaks {ref.adapter}.") from None


def known(adapter: str) -> bool:
    return adapter in _factories


def names() -> list[str]:
    return sorted(_factories)
