"""What shows each case of supply, a function per subject. Twice changes nothing."""

from datetime import datetime

from config.demo.made import Retailer


def set_up(made: Retailer, at: datetime) -> None:
    """What the retailer's supply has beyond nodes, SKUs and units, as of the opening of the demo."""
    del made, at
