"""What the demo retailer sells: 600 SKUs, made the same way every time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

COLORS = ("Sand", "Slate", "Fern", "Rust", "Ink", "Oat", "Plum", "Sky")
SIZES = ("S", "M", "L", "XL")


@dataclass(frozen=True, slots=True)
class SkuPlan:
    """`carried_by` says which kinds of node keep it; `pace` how often it sells (1 is slow)."""

    code: str
    name: str
    brand: str
    kind: str
    price_minor: int
    weight_grams: int
    box_mm: tuple[int, int, int]
    pace: int
    carried_by: tuple[str, ...]
    components: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Family:
    code: str
    name: str
    brand: str
    price_minor: int
    weight_grams: int
    box_mm: tuple[int, int, int]
    pace: int
    sizes: tuple[str, ...] = ("",)
    colors: tuple[str, ...] = COLORS
    carried_by: tuple[str, ...] = ("dc", "threepl", "store")


_SMALL, _MEDIUM, _LARGE = (200, 150, 120), (350, 280, 120), (700, 500, 400)
_HP, _NL = "harbor-pine", "northlight"
_DROP_SHIP = ("supplier",)

_FAMILIES = (
    _Family("MUG", "Stoneware mug", _HP, 1800, 420, _SMALL, 9),
    _Family("BWL", "Stoneware bowl", _HP, 2400, 650, _SMALL, 6),
    _Family("PLT", "Dinner plate", _HP, 2200, 720, _MEDIUM, 5),
    _Family("CND", "Soy candle", _HP, 2600, 480, _SMALL, 8, carried_by=("supplier", "store")),
    _Family("DIF", "Reed diffuser", _HP, 3400, 390, _SMALL, 4, carried_by=_DROP_SHIP),
    _Family("THR", "Wool throw", _HP, 8900, 1300, _MEDIUM, 4),
    _Family("CSH", "Linen cushion", _HP, 4200, 780, _MEDIUM, 5),
    _Family("TWL", "Bath towel", _HP, 3200, 610, _MEDIUM, 6),
    _Family("NPK", "Linen napkins, set of four", _HP, 2900, 240, _SMALL, 3),
    _Family("VAS", "Ribbed vase", _HP, 5400, 1500, _MEDIUM, 3),
    _Family("TRY", "Oak tray", _HP, 4900, 1100, _MEDIUM, 3),
    _Family("FRM", "Picture frame", _HP, 3600, 830, _MEDIUM, 3),
    _Family("BSK", "Seagrass basket", _HP, 5200, 1200, _LARGE, 2),
    _Family("SHT", "Percale sheet set", _HP, 14900, 2100, _MEDIUM, 4, sizes=("Q", "K")),
    _Family("DUV", "Linen duvet cover", _HP, 19900, 2300, _MEDIUM, 3, sizes=("Q", "K")),
    _Family("CRT", "Linen curtain", _HP, 9900, 1700, _MEDIUM, 2, sizes=("84", "96")),
    _Family("APR", "Canvas apron", _HP, 3800, 350, _SMALL, 3),
    _Family("TPT", "Stoneware teapot", _HP, 6400, 1250, _MEDIUM, 2),
    _Family("PIT", "Glass pitcher", _HP, 4600, 1150, _MEDIUM, 2),
    _Family("POT", "Enamel pot", _HP, 8200, 2200, _MEDIUM, 2, colors=("Ink", "Oat", "Rust")),
    _Family("LMP", "Table lamp", _HP, 12900, 2600, _LARGE, 2),
    _Family("CHR", "Lounge chair", _HP, 34900, 14500, _LARGE, 1, carried_by=_DROP_SHIP),
    _Family("SDT", "Side table", _HP, 18900, 9200, _LARGE, 1, carried_by=_DROP_SHIP),
    _Family("TEE", "Organic tee", _NL, 3200, 190, _SMALL, 8, sizes=SIZES),
    _Family("HOD", "Fleece hoodie", _NL, 7800, 620, _MEDIUM, 6, sizes=SIZES),
    _Family("JKT", "Rain shell", _NL, 16900, 540, _MEDIUM, 3, sizes=SIZES),
    _Family("PNT", "Trail pant", _NL, 9800, 430, _MEDIUM, 3, sizes=SIZES),
    _Family("BSL", "Merino base layer", _NL, 8400, 210, _SMALL, 4, sizes=SIZES),
    _Family("DWN", "Down vest", _NL, 14900, 380, _MEDIUM, 3, sizes=SIZES),
    _Family("FLN", "Flannel shirt", _NL, 6900, 340, _MEDIUM, 4, sizes=SIZES),
    _Family("SHR", "Trail short", _NL, 5600, 220, _SMALL, 2, sizes=SIZES),
    _Family("LEG", "Trail legging", _NL, 7900, 240, _SMALL, 5, sizes=SIZES),
    _Family("RUN", "Trail runner", _NL, 13900, 680, _MEDIUM, 4, sizes=("7", "8", "9", "10", "11", "12"),
            colors=("Slate", "Rust", "Ink", "Sky")),
    _Family("SCK", "Hiking socks", _NL, 1900, 90, _SMALL, 9, sizes=("M", "L")),
    _Family("GLV", "Liner gloves", _NL, 2800, 80, _SMALL, 4, sizes=("M", "L")),
    _Family("BNI", "Wool beanie", _NL, 2600, 100, _SMALL, 7),
    _Family("BTL", "Steel bottle", _NL, 3400, 360, _SMALL, 7),
    _Family("PCK", "Day pack 22 l", _NL, 11900, 880, _LARGE, 3),
    _Family("HLP", "Headlamp", _NL, 4400, 140, _SMALL, 4, colors=("Slate", "Rust", "Ink", "Oat")),
    _Family("STV", "Camp stove", _NL, 8900, 410, _SMALL, 2, colors=("Slate", "Rust", "Ink", "Oat")),
    _Family("TNT", "Two-person tent", _NL, 32900, 2400, _LARGE, 1, colors=("Fern", "Rust")),
)  # fmt: skip

_KITS = tuple(
    [
        (f"HP-KIT-BRK-{color[:3].upper()}", f"Breakfast set for two, {color}", _HP, 6900,
         ((f"HP-MUG-{color[:3].upper()}", 2), (f"HP-BWL-{color[:3].upper()}", 2)))
        for color in COLORS
    ]
    + [
        (f"NL-KIT-HIK-{color[:3].upper()}", f"Day hike kit, {color}", _NL, 15900,
         ((f"NL-PCK-{color[:3].upper()}", 1), (f"NL-BTL-{color[:3].upper()}", 1),
          (f"NL-BNI-{color[:3].upper()}", 1)))
        for color in COLORS
    ]
)  # fmt: skip

GIFT = "HP-GIFT-MATCHES"
WRAP = "HP-SVC-WRAP"
GIFT_CARD = "HP-GIFTCARD-50"


def catalog() -> list[SkuPlan]:
    """All SKUs of the retailer, in a stable order."""
    return [*_single_items(), *_kits(), *_extras()]


def _single_items() -> Iterator[SkuPlan]:
    for family in _FAMILIES:
        prefix = "HP" if family.brand == _HP else "NL"
        for color, size in product(family.colors, family.sizes):
            parts = [prefix, family.code, color[:3].upper(), *([size] if size else [])]
            label = f"{family.name}, {color}" + (f", {size}" if size else "")
            yield SkuPlan(
                "-".join(parts),
                label,
                family.brand,
                "stock",
                family.price_minor,
                family.weight_grams,
                family.box_mm,
                family.pace,
                family.carried_by,
            )


def _kits() -> Iterator[SkuPlan]:
    for code, name, brand, price, components in _KITS:
        yield SkuPlan(code, name, brand, "kit", price, 0, _LARGE, 3, (), components)


def _extras() -> Iterator[SkuPlan]:
    everywhere = ("dc", "threepl", "store", "supplier")
    yield SkuPlan(GIFT, "Box of matches (gift)", _HP, "stock", 0, 40, _SMALL, 1, everywhere)
    yield SkuPlan(WRAP, "Gift wrap", _HP, "service", 500, 0, _SMALL, 1, ())
    yield SkuPlan(GIFT_CARD, "Gift card, $50", _HP, "gift_card", 5000, 0, _SMALL, 1, ())
