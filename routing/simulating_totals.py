"""What was counted, as figures that can be read: money, shares, days, and the frontier. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from routing.engine.explain import PARTS

COST, CAUSE, LOAD = "cost:", "cause:", "load:"
THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """A variant's totals. Money in minor units; `late_days` and `days` are sums over deliveries.

    `cost_minor` is true cost: freight, handling, picking, what suppliers ask. `dated` deliveries have a day to keep,
    `on_time` keep it nine times in ten.
    """

    label: str
    groups: int = 0
    units: int = 0
    unfilled_units: int = 0
    parcels: int = 0
    split: int = 0
    km: int = 0
    moved: int = 0
    delivered: int = 0
    days: int = 0
    dated: int = 0
    on_time: int = 0
    late_days: float = 0.0
    parts: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[str, int] = field(default_factory=dict)
    load: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def cost_minor(self) -> int:
        return sum(
            self.parts.get(name, 0) for name in ("freight", "handling", "picking", "supplier")
        )

    @property
    def cost_each(self) -> float:
        return self.cost_minor / self.groups if self.groups else 0.0

    @property
    def parcels_each(self) -> float:
        return self.parcels / self.delivered if self.delivered else 0.0

    @property
    def on_time_share(self) -> float:
        return self.on_time / self.dated if self.dated else 1.0

    @property
    def split_share(self) -> float:
        return self.split / self.groups if self.groups else 0.0

    @property
    def unfilled_share(self) -> float:
        return self.unfilled_units / self.units if self.units else 0.0

    @property
    def days_each(self) -> float:
        return self.days / self.delivered if self.delivered else 0.0

    @property
    def late_each(self) -> float:
        return self.late_days / self.dated if self.dated else 0.0

    @property
    def km_each(self) -> float:
        return self.km / self.parcels if self.parcels else 0.0

    @property
    def invoice(self) -> list[tuple[str, int]]:
        """The parts of the objective that are not nothing, by name."""
        return [(label, self.parts[name]) for name, label in PARTS.items() if self.parts.get(name)]


def figures_of(label: str, counted: Mapping[str, int]) -> Figures:
    """The figures of a variant's counts."""
    load: dict[str, dict[str, int]] = {}
    for name, value in counted.items():
        if name.startswith(LOAD) and value:
            node, window = name.removeprefix(LOAD).split(":", 1)
            load.setdefault(node, {})[window] = value
    plain = (
        "groups", "units", "unfilled_units", "parcels", "split", "km", "moved", "delivered",
        "days", "dated", "on_time",
    )  # fmt: skip
    return Figures(
        label,
        **{name: counted.get(name, 0) for name in plain},
        late_days=counted.get("late_milli", 0) / THOUSAND,
        parts=_under(COST, counted),
        causes=_under(CAUSE, counted),
        load=load,
    )


def _under(prefix: str, counted: Mapping[str, int]) -> dict[str, int]:
    return {
        name.removeprefix(prefix): value
        for name, value in counted.items()
        if name.startswith(prefix) and value
    }


def load_of(variants: Sequence[Figures]) -> list[tuple[str, list[tuple[str, list[int]]]]]:
    """By node and window, the parcels of each variant; the nodes with most first."""
    nodes = sorted(
        {node for one in variants for node in one.load},
        key=lambda node: (-sum(sum(one.load.get(node, {}).values()) for one in variants), node),
    )
    windows = sorted({w for one in variants for row in one.load.values() for w in row})
    return [
        (node, [(w, [one.load.get(node, {}).get(w, 0) for one in variants]) for w in windows])
        for node in nodes
    ]


@dataclass(frozen=True, slots=True)
class Point:
    """A variant on the chart: cost per delivery against what is bought with it."""

    label: str
    cost: float
    days: float
    parcels: float
    late: float
    best: bool


def frontier(variants: Sequence[Figures]) -> list[Point]:
    """Each variant; `best` where no other costs no more, takes no longer and sends no more parcels."""
    seen = [one for one in variants if one.groups]

    def measures(one: Figures) -> tuple[float, float, float, float]:
        return one.cost_each, one.days_each, one.parcels_each, one.unfilled_share

    return [
        Point(
            one.label,
            one.cost_each,
            one.days_each,
            one.parcels_each,
            one.late_each,
            not any(
                all(a <= b for a, b in zip(measures(other), measures(one), strict=True))
                and measures(other) != measures(one)
                for other in seen
            ),
        )
        for one in seen
    ]
