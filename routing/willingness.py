"""What nodes said of themselves: that they can do no more until a time, and how often they reject.

Both are kept per process under versions of their own: a plan pays no statement for them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from config.kernel import versions
from inventory.selectors.traits import Traits
from routing import engine
from routing.matching_models import AcceptanceRate, FullNode

FULL_TOPIC, ACCEPTANCE_TOPIC = "full", "acceptance"
BELIEF, BELIEVED = 50.0, 0.98
"""What is believed of a node that nobody knows yet: so many requests, such a share accepted."""

HEAVY_GRAMS, LIGHT_GRAMS = 15_000, 1_000
SURE = 1_000


@dataclass(slots=True)
class _Kept:
    full: tuple[int, dict[tuple[int, str], datetime]] = (-1, {})
    rates: tuple[int, dict[tuple[int, str], int]] = (-1, {})


_kept = _Kept()


def full_nodes(version: int) -> Mapping[tuple[int, str], datetime]:
    """By node and function, until when it gets no new work."""
    if version == versions.FIRST:
        return {}
    if _kept.full[0] != version:
        rows = FullNode.objects.values_list("node_id", "function", "until")
        _kept.full = (version, {(node, function): until for node, function, until in rows})
    return _kept.full[1]


def rejections_cost(
    rules: engine.Policy, nodes: Iterable[engine.Node], minor: int
) -> engine.Policy:
    """The policy with what a rejection costs, where one of the nodes is known to reject some."""
    if not minor or all(node.acceptance == SURE for node in nodes):
        return rules
    return replace(rules, weights=replace(rules.weights, reroute=minor))


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Of a thousand requests with goods of a class, how many each node takes on."""

    rates: Mapping[tuple[int, str], int] = field(default_factory=dict)

    def nodes(self, nodes: tuple[engine.Node, ...], goods: str) -> tuple[engine.Node, ...]:
        """The nodes as they are for such goods; the same ones where nothing is known of them."""
        if not self.rates:
            return nodes
        return tuple(
            replace(node, acceptance=rate)
            if (rate := self.rates.get((node.id, goods), SURE)) != SURE
            else node
            for node in nodes
        )


def acceptance(version: int) -> Acceptance:
    if version == versions.FIRST:
        return Acceptance()
    if _kept.rates[0] != version:
        rows = AcceptanceRate.objects.values_list("node_id", "goods", "asked", "rejected")
        _kept.rates = (
            version,
            {(node, goods): permille(asked, rejected) for node, goods, asked, rejected in rows},
        )
    return Acceptance(_kept.rates[1])


def learnt_rates(node_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """By node and class of goods, of a thousand requests those taken on. One statement."""
    rows = AcceptanceRate.objects.filter(node_id__in=node_ids)
    return {
        (node, goods): permille(asked, rejected)
        for node, goods, asked, rejected in rows.values_list(
            "node_id", "goods", "asked", "rejected"
        )
    }


def permille(asked: float, rejected: float) -> int:
    """The mean of a Beta variable: what was believed of any node, moved by what was recorded."""
    accepted = BELIEF * BELIEVED + max(0.0, asked - rejected)
    return max(1, round(SURE * accepted / (BELIEF + max(asked, rejected))))


def goods_of(skus: Collection[Traits]) -> str:
    """The class of goods that go together: that of the heaviest of them, and how it is stored."""
    if not skus:
        return "usual"
    heaviest = max(skus, key=lambda sku: (sku.weight_grams, sku.code))
    size = "medium"
    if heaviest.weight_grams >= HEAVY_GRAMS:
        size = "large"
    elif heaviest.weight_grams < LIGHT_GRAMS:
        size = "small"
    return f"{heaviest.storage or 'dry'}-{size}"[:40]


def forget() -> None:
    """Read everything again at the next call: between tests."""
    _kept.full, _kept.rates = (-1, {}), (-1, {})
