"""What the goods of the demo say of themselves: barcodes, packs, hazards, lives, what stands in."""

from datetime import datetime
from typing import Any, Final

import inventory.services
from config.demo import retailer
from config.demo.catalog import SkuPlan, catalog
from config.demo.made import ACTOR, Retailer
from inventory.gtin import check_digit
from inventory.types import (
    BarcodeDraft,
    ItemDraft,
    PackDraft,
    PartDraft,
    StockChange,
    SubstituteDraft,
)

SOURCE: Final = "demo-items"
WINE: Final = "HP-WINE-MULLED"
GAS: Final = "NL-GAS-230"
SIX_MUGS: Final = "HP-MUG-SAN-6"

_PREFIX: Final = "952100000"
"""The prefix that GS1 keeps for examples, and a company that does not exist."""

_MADE: Final[dict[str, dict[str, Any]]] = {
    "MUG": {"origin_country": "PT", "hs_code": "691200"},
    "BWL": {"origin_country": "PT", "hs_code": "691200"},
    "PLT": {"origin_country": "PT", "hs_code": "691200"},
    "CND": {"origin_country": "US", "hs_code": "340600"},
    "DIF": {"origin_country": "FR", "hs_code": "330741"},
    "THR": {"origin_country": "GB", "hs_code": "630120"},
    "HLP": {"origin_country": "CN", "hs_code": "851310"},
    "SCK": {"origin_country": "US", "hs_code": "611594"},
}  # fmt: skip
"""By family: where it is made, and its customs number."""

_LIVES: Final = {"HP-VAS-PLU": "phasing_out", "HP-FRM-SKY": "discontinued"}
_PACKED: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "MUG": (("inner", 6), ("case", 24), ("pallet", 480)),
    "BWL": (("case", 12), ("pallet", 240)),
    "TWL": (("case", 12),),
    "BTL": (("inner", 6), ("case", 12)),
    "SCK": (("inner", 10), ("case", 60)),
}
_OTHERS: Final = (
    ItemDraft(
        WINE,
        "Mulled wine, 0.75 l",
        price_minor=1_450,
        weight_grams=1_300,
        regulation="alcohol",
        origin_country="DE",
        hs_code="220510",
        returnable=False,
    ),
    ItemDraft(
        GAS,
        "Gas canister, 230 g",
        price_minor=690,
        weight_grams=380,
        un_number="2037",
        hazard_class="2.1",
        limited_quantity=True,
        origin_country="KR",
        hs_code="271113",
        returnable=False,
    ),
    ItemDraft("NL-TNT-SKY", "Two-person tent, Sky", lifecycle="planned", price_minor=32_900),
    ItemDraft(SIX_MUGS, "Stoneware mug, Sand, six in a box", kind="kit", price_minor=9_900),
)
_INSTEAD: Final = (
    SubstituteDraft("HP-MUG-SAN", "HP-MUG-OAT", both_ways=True, needs_consent=False),
    SubstituteDraft("HP-MUG-SAN", "HP-MUG-SLA", rank=2),
    SubstituteDraft("NL-BTL-INK", "NL-BTL-SLA", price_rule="keep"),
    SubstituteDraft("HP-FRM-SKY", "HP-FRM-INK", price_rule="own"),
)
_PROPOSED: Final = SubstituteDraft("HP-DIF-SAN", "HP-CND-SAN", ratio=2)
_LEADS: Final = {"inner": "1", "case": "2", "pallet": "3"}


def set_up(made: Retailer, at: datetime) -> None:
    """Say it of all goods; only what differs is written."""
    by: dict[str, Any] = {"account_id": made.account_id, "at": at, "actor": ACTOR}
    goods = [plan for plan in catalog() if plan.kind == "stock"]
    inventory.services.change_items([_said(plan) for plan in goods], **by)
    others = inventory.services.put_items(_OTHERS, **by)
    inventory.services.put_parts([PartDraft(SIX_MUGS, "HP-MUG-SAN", 6)], **by)
    inventory.services.put_packs(_packs(goods), **by)
    inventory.services.put_barcodes(_barcodes(goods), **by)
    proposed = inventory.services.propose_substitutes([*_INSTEAD, _PROPOSED], **by)
    wanted = [one.value for one in proposed[: len(_INSTEAD)] if one.value is not None]
    inventory.services.approve_substitutes(wanted, at=at, actor=ACTOR)
    here = made.node_ids[next(plan.code for plan in retailer.NODES if plan.kind == "dc")]
    came = [
        StockChange(
            here, one.value or 0, made.account_id, 96, "receipt",
            source=SOURCE, external_id=code, note="For the season",
        )
        for code, one in zip((WINE, GAS), others, strict=False)
    ]  # fmt: skip
    inventory.services.record_changes(came, at=at, actor=ACTOR)


def _family(plan: SkuPlan) -> str:
    return plan.code.split("-")[1]


def _said(plan: SkuPlan) -> dict[str, Any]:
    said = {"code": plan.code, **_MADE.get(_family(plan), {})}
    return said | ({"lifecycle": _LIVES[plan.code]} if plan.code in _LIVES else {})


def _packs(goods: list[SkuPlan]) -> list[PackDraft]:
    return [
        PackDraft(
            plan.code,
            level,
            units,
            weight_grams=plan.weight_grams * units,
            breakable=level != "pallet" or units < 480,
            sold_as=SIX_MUGS if (plan.code, level) == ("HP-MUG-SAN", "inner") else "",
        )
        for plan in goods
        for level, units in _PACKED.get(_family(plan), ())
    ]


def _barcodes(goods: list[SkuPlan]) -> list[BarcodeDraft]:
    """A GTIN-13 for each unit, and a GTIN-14 for each pack that leads with another digit."""
    drafts = []
    for number, plan in enumerate(goods):
        body = f"{_PREFIX}{number:03}"
        drafts.append(BarcodeDraft(f"{body}{check_digit(body)}", plan.code))
        for level, _ in _PACKED.get(_family(plan), ()):
            packed = f"{_LEADS[level]}{body}"
            drafts.append(BarcodeDraft(f"{packed}{check_digit(packed)}", plan.code, level))
    return drafts
