"""What is known of a delivery group when its policy's rules are tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS
from inventory.selectors.traits import Traits
from orders.sourcing import Demand
from routing.rules import CUSTOM, NO, YES, Fact, Facts


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel by what rules may ask of it."""

    code: str
    kind: str
    brand: str


def channels_of(account_id: UUID) -> dict[UUID, ChannelFacts]:
    """Every channel of the account. One statement."""
    rows = Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id)
    return {
        pk: ChannelFacts(*said)
        for pk, *said in rows.values_list("pk", "code", "kind", "brand__code")
    }


def facts_of(demand: Demand, channel: ChannelFacts | None, known: Mapping[int, Traits]) -> Facts:
    """The group's facts by attribute. `known` are the traits of its SKUs, where rules ask for them."""
    lines = demand.lines
    units = sum(line.quantity for line in lines)
    facts: dict[str, Fact] = {
        "currency": demand.currency,
        "method": demand.method,
        "service": demand.service_level,
        "country": demand.country,
        "region": demand.region,
        "postal_code": demand.postal_code,
        "fixed_date": YES if demand.requested_by else NO,
        "ship_complete": YES if demand.ship_complete else NO,
        "tag": demand.tags,
        "customer_tag": demand.customer_tags,
        "priority": demand.priority,
        "value_minor": sum(line.quantity * line.unit_value_minor for line in lines),
        "units": units,
        "lines": len(lines),
        "weight_grams": sum(line.quantity * line.weight_grams for line in lines),
        "heaviest_grams": max((line.weight_grams for line in lines), default=0),
    }
    if channel is not None:
        facts |= {"channel": channel.code, "channel_kind": channel.kind, "brand": channel.brand}
    met = [known[line.sku_id] for line in lines if line.sku_id in known]
    if met:
        facts |= _of_skus(met)
    return facts


def _of_skus(met: list[Traits]) -> dict[str, Fact]:
    """A value for each SKU that has one; a SKU without counts as the empty text."""
    names = sorted({name for one in met for name in one.own})
    return {
        "sku": tuple(one.code for one in met),
        "sku_kind": tuple(one.kind for one in met),
        "sku_brand": tuple(one.brand for one in met),
        "storage": tuple(one.storage for one in met),
        "regulation": tuple(one.regulation for one in met),
        "hazard_class": tuple(one.hazard_class for one in met),
        "hazmat": YES if any(one.hazmat for one in met) else NO,
        **{f"{CUSTOM}{name}": tuple(one.own.get(name, "") for one in met) for name in names},
    }
