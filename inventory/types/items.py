"""What is sold, as others read it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SkuView:
    """A SKU; `components` are (sku id, quantity) of a kit."""

    id: int
    account_id: UUID
    code: str
    name: str
    kind: str
    weight_grams: int
    price_minor: int
    currency: str
    hazmat: bool
    active: bool
    components: tuple[tuple[int, int], ...] = ()
