"""Frozen values that cross the edge of inventory, and the ids under which its records are named."""

from inventory.types.claims import (
    Eta,
    FutureWant,
    IssuedPortion,
    Portion,
    ReceivedLine,
    ReservationView,
    Shortage,
    Taken,
    TakeResult,
    Want,
)
from inventory.types.items import (
    SkuView,
)
from inventory.types.network import (
    CutoffView,
    FunctionView,
    HoursView,
    NodeView,
)
from inventory.types.stock import (
    BufferChange,
    ChangeAnswer,
    ExclusionWanted,
    MovementView,
    PositionView,
    ShortRisk,
    SnapshotRow,
    StockChange,
    Term,
    Waterfall,
)
from inventory.types.subjects import (
    SubjectTag,
    pk_of,
    subject_id,
    tag_of,
)

__all__ = [
    "BufferChange",
    "ChangeAnswer",
    "CutoffView",
    "Eta",
    "ExclusionWanted",
    "FunctionView",
    "FutureWant",
    "HoursView",
    "IssuedPortion",
    "MovementView",
    "NodeView",
    "Portion",
    "PositionView",
    "ReceivedLine",
    "ReservationView",
    "ShortRisk",
    "Shortage",
    "SkuView",
    "SnapshotRow",
    "StockChange",
    "SubjectTag",
    "TakeResult",
    "Taken",
    "Term",
    "Want",
    "Waterfall",
    "pk_of",
    "subject_id",
    "tag_of",
]
