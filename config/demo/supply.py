"""What shows each case of supply, a function per subject. Twice changes nothing."""

from datetime import datetime

from config.demo import (
    consigned,
    feeds,
    goods_coming,
    items,
    kept_back,
    lots,
    nodes_at_work,
    offers,
    pickable,
    stock_moves,
)
from config.demo.made import Retailer


def set_up(made: Retailer, at: datetime) -> None:
    """What the retailer's supply has beyond nodes, SKUs and units, as of the opening of the demo."""
    nodes_at_work.set_up(made, at)
    items.set_up(made, at)
    kept_back.set_up(made, at)
    feeds.set_up(made, at)
    lots.set_up(made, at)
    consigned.set_up(made, at)
    offers.set_up(made, at)
    stock_moves.set_up(made, at)
    pickable.set_up(made, at)
    goods_coming.set_up(made, at)
