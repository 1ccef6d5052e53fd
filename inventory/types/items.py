"""What is sold, as others read it and as it is told."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.states import Lifecycle, PriceRule, SkuKind, Storage


@dataclass(frozen=True, slots=True)
class SkuView:
    """A SKU; `components` are (sku id, quantity) of a kit.

    `active` says whether it may be sold, `replenished` whether more of it is to come.
    """

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
    lifecycle: str = Lifecycle.ACTIVE.value
    regulation: str = ""
    lot_tracked: bool = False
    serial_tracked: bool = False
    returnable: bool = True
    components: tuple[tuple[int, int], ...] = ()

    @property
    def replenished(self) -> bool:
        return self.lifecycle in {Lifecycle.PLANNED, Lifecycle.ACTIVE}


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """A SKU with everything that is said of it; what is not given is as a new one has it."""

    code: str
    name: str
    kind: str = SkuKind.STOCK.value
    brand_id: UUID | None = None
    lifecycle: str = Lifecycle.ACTIVE.value
    sell_through: bool = True
    price_minor: int = 0
    currency: str = "USD"
    weight_grams: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    un_number: str = ""
    hazard_class: str = ""
    packing_group: str = ""
    limited_quantity: bool = False
    regulation: str = ""
    storage: str = Storage.AMBIENT.value
    origin_country: str = ""
    hs_code: str = ""
    lot_tracked: bool = False
    serial_tracked: bool = False
    expires: bool = False
    shelf_life_days: int | None = None
    min_remaining_life_days: int = 0
    returnable: bool = True
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PackDraft:
    """A pack of a SKU; `sold_as` is the code of the kit under which it is sold by itself."""

    sku: str
    level: str
    units: int
    weight_grams: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    breakable: bool = True
    sold_as: str = ""


@dataclass(frozen=True, slots=True)
class BarcodeDraft:
    """A barcode of a SKU, or of one of its packs (by level). `kind` empty: a GTIN if it is one."""

    value: str
    sku: str
    level: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PartDraft:
    """A kit holds so many of a component."""

    kit: str
    component: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SubstituteDraft:
    """What may go out instead; without a channel it is for all."""

    sku: str
    substitute: str
    channel_id: UUID | None = None
    rank: int = 1
    ratio: int = 1
    both_ways: bool = False
    needs_consent: bool = True
    price_rule: str = PriceRule.LOWER.value
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan means: so many units of a SKU."""

    sku_id: int
    account_id: UUID
    units: int
    level: str


@dataclass(frozen=True, slots=True)
class PackView:
    """A pack of a SKU, and the barcodes on it."""

    sku_id: int
    level: str
    units: int
    breakable: bool
    sold_as_id: int | None
    weight_grams: int
    barcodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubstituteView:
    """What may go out instead of a SKU, and how many of its units can be had now.

    `price_minor` is what the buyer pays for one of the original, of `ratio` substitutes.
    """

    id: UUID
    sku_id: int
    substitute_id: int
    code: str
    name: str
    rank: int
    ratio: int
    needs_consent: bool
    price_rule: str
    price_minor: int
    currency: str
    free: int
