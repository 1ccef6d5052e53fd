"""What plans rest on and what rarely changes: networks, rates and policies, kept per process.

Everything here is cached under the versions of its topics (`config.kernel.versions`), which a
batch reads once; whoever edits a node, a rate card or a policy raises the topic.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import lru_cache
from uuid import UUID

import holidays
from django.db.models import Prefetch

import inventory.selectors
from config.kernel import versions
from config.kernel.types import ALL_ACCOUNTS
from inventory import lives, quotas
from inventory.lives import Lives
from inventory.selectors.handling import NOTHING, Handling, handling
from inventory.selectors.traits import Traits, groups_of_nodes, traits
from inventory.states import Function, NodeKind
from inventory.types import CapacityView, CutoffView, NodeView, OfferTerms
from routing import books, engine, willingness
from routing.facts import ChannelFacts, channels_of
from routing.models import RateCard, RateZone, SourcingPolicy
from routing.offered import NO_OFFERS, OFFERS_TOPIC, Offered, offered
from routing.places import locate
from routing.pledges import Pledge, read_pledges
from routing.quote_models import LearntLane
from routing.rule_reading import parse_rules
from routing.rules import TERMS
from routing.ruling import Case, cases_of
from routing.states import PolicyState

TOPICS = (
    "acceptance", "full", "lots", "network", "offers", "policy", "prices", "quotas", "rates", "skus",
)  # fmt: skip
CODES_KEPT = 200_000
IN_NETWORK = "network"
"""The engine's node group of the nodes that a channel may use; the others get a verdict too."""

STANDARD = "standard"
BUILT_IN_ZONES = (
    engine.Zone(max_km=250, base=650, per_kg=60, days_p50=1, days_p90=2),
    engine.Zone(max_km=1_000, base=800, per_kg=90, days_p50=2, days_p90=3),
    engine.Zone(max_km=2_500, base=1_000, per_kg=130, days_p50=3, days_p90=5),
    engine.Zone(max_km=5_000, base=1_250, per_kg=180, days_p50=4, days_p90=6),
    engine.Zone(max_km=40_000, base=4_500, per_kg=900, days_p50=7, days_p90=14),
)
"""Lanes of the standard service while nobody has entered a rate card, in cents and grams."""

PICKUP_ZONES = (engine.Zone(max_km=40_000, base=0, per_kg=0, days_p50=0, days_p90=0),)

BUILT_IN = engine.Policy(
    code="built-in-cheapest",
    version=0,
    weights=engine.CHEAPEST,
    max_nodes_per_demand=4,
    groups=frozenset({IN_NETWORK}),
)
"""What decides for an account that has published no policy of its own."""

CARRIER_YEARS = range(2010, 2051)
US_CARRIER_HOLIDAYS = frozenset(
    {
        "New Year's Day",
        "Memorial Day",
        "Independence Day",
        "Labor Day",
        "Thanksgiving Day",
        "Christmas Day",
    }
)
"""The public holidays on which parcel carriers rest in the United States: fewer than the banks."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A live policy as the engine takes it, and the row it came from; None is the built-in one.

    `rules` hold where none of the `cases` applies.
    """

    id: UUID | None
    rules: engine.Policy
    cases: tuple[Case, ...] = ()
    prices_percent: int = TERMS["prices_percent"]
    """How much of what a price book asks counts."""

    worthwhile_minor: int = TERMS["worthwhile_minor"]
    worthwhile_percent: int = TERMS["worthwhile_percent"]
    """What moving a planned order must save: both."""

    reroute_minor: int = TERMS["reroute_minor"]
    """What it costs that a node rejects and the units look for another one."""

    days_ahead: int = TERMS["days_ahead"]
    """For how many days ahead price books look that are made under it."""


@dataclass(frozen=True, slots=True)
class Network:
    """The account's nodes as one channel may use them, once for shipping and once for pickup."""

    shipping: tuple[engine.Node, ...]
    pickup: tuple[engine.Node, ...]
    limits: Mapping[tuple[int, str], int] = field(default_factory=dict)
    """By node and function, how many resources of it have a limit that must not be passed."""

    paced: frozenset[int] = frozenset()
    """Nodes with a limit that may be passed: what is beyond it waits for the next window."""

    def node_ids(self) -> list[int]:
        return [node.id for node in self.shipping]

    def node(self, node_id: int) -> engine.Node | None:
        return next((node for node in self.shipping if node.id == node_id), None)


@dataclass(slots=True)
class Reference:
    """The reference values under one set of versions; its parts are read when first asked for."""

    versions: Mapping[str, int]
    _networks: dict[tuple[UUID, UUID], Network] = field(default_factory=dict)
    _policies: dict[UUID, dict[UUID | None, Policy]] = field(default_factory=dict)
    _rates: dict[str, engine.RateCard] = field(default_factory=dict)
    _codes: dict[int, str] = field(default_factory=dict)
    _needs: dict[int, Handling] = field(default_factory=dict)
    _channels: dict[UUID, Mapping[UUID, ChannelFacts]] = field(default_factory=dict)
    _traits: dict[int, Traits] = field(default_factory=dict)
    _pledges: dict[UUID, Mapping[UUID, tuple[Pledge, ...]]] = field(default_factory=dict)
    _offers: dict[int, Sequence[OfferTerms]] = field(default_factory=dict)

    def network(self, account_id: UUID, channel_id: UUID) -> Network:
        key = (account_id, channel_id)
        if key not in self._networks:
            self._networks[key] = _read_network(
                account_id, channel_id, self.services(), self.versions["network"]
            )
        return self._networks[key]

    def policy(self, account_id: UUID, channel_id: UUID) -> Policy:
        """The channel's live policy, or the account's, or the built-in one."""
        if account_id not in self._policies:
            self._policies[account_id] = _read_policies(account_id, self.versions["network"])
        live = self._policies[account_id]
        return live.get(channel_id) or live.get(None) or Policy(None, BUILT_IN)

    def channel(self, account_id: UUID, channel_id: UUID) -> ChannelFacts | None:
        """What rules may ask of the channel. One statement for the first of an account."""
        if account_id not in self._channels:
            self._channels[account_id] = channels_of(account_id)
        return self._channels[account_id].get(channel_id)

    def pledges(self, account_id: UUID, channel_id: UUID) -> tuple[Pledge, ...]:
        """What the channel promises its buyers. One statement for the first of an account.

        None while no account has changed anything of its policies: pledges raise that topic.
        """
        if self.versions["policy"] == versions.FIRST:
            return ()
        if account_id not in self._pledges:
            self._pledges[account_id] = read_pledges(account_id)
        return self._pledges[account_id].get(channel_id, ())

    def rests(self, country: str) -> frozenset[date]:
        """The days on which carriers of the country rest."""
        return carrier_holidays(country)

    def traits(self, sku_ids: Collection[int]) -> Mapping[int, Traits]:
        """What rules may ask of these SKUs, and of others. One statement for new ones."""
        unknown = [sku_id for sku_id in sku_ids if sku_id not in self._traits]
        if unknown:
            if len(self._traits) + len(unknown) > CODES_KEPT:
                self._traits.clear()
                unknown = list(sku_ids)
            self._traits |= traits(unknown)
        return self._traits

    def rates(self) -> engine.RateCard:
        if not self._rates:
            self._rates["all"] = _read_rates()
        return self._rates["all"]

    def services(self) -> frozenset[str]:
        """Codes of the service levels that have lanes."""
        return frozenset(self.rates().zones) - {engine.PICKUP}

    def service_for(self, asked: str) -> str:
        """The service whose lanes estimate the one asked for: itself, or else the standard one."""
        lanes = self.rates().zones
        return asked if asked in lanes and asked != engine.PICKUP else next(iter(lanes))

    def kept_skus(self, account_ids: Collection[UUID], sku_ids: Collection[int]) -> set[int]:
        """Those of the SKUs of which some channel has a live quota. No statement while known."""
        version = self.versions[quotas.TOPIC]
        if version == versions.FIRST:
            return set()
        found = [quotas.skus_with_quotas(account_id, version) for account_id in account_ids]
        return set(sku_ids).intersection(frozenset().union(*found))

    def lives(
        self,
        account_ids: Collection[UUID],
        sku_ids: Collection[int],
        position_ids: Collection[int],
        at: datetime,
    ) -> Lives | None:
        """What binds lots of these SKUs. No statement while nobody asks for any."""
        version = self.versions[lives.TOPIC] + self.versions["skus"]
        if version == 2 * versions.FIRST:
            return None
        return lives.lives_of(account_ids, sku_ids, position_ids, version, at)

    def offered(self, sku_ids: Collection[int], on: date) -> Offered:
        """What drop-ship suppliers offer of these SKUs that day. One statement for new ones.

        None while nobody has entered an offer.
        """
        if self.versions[OFFERS_TOPIC] == versions.FIRST:
            return NO_OFFERS
        unknown = [sku_id for sku_id in sku_ids if sku_id not in self._offers]
        if unknown:
            if len(self._offers) + len(unknown) > CODES_KEPT:
                self._offers.clear()
                unknown = list(sku_ids)
            found = inventory.selectors.offer_terms(unknown)
            self._offers |= {sku_id: found.get(sku_id, ()) for sku_id in unknown}
        return offered(self._offers, sku_ids, currency=self.rates().currency, on=on)

    def codes(self, sku_ids: Collection[int]) -> Mapping[int, str]:
        """The codes of these SKUs, and of others: for sentences. One statement for new ones."""
        unknown = [sku_id for sku_id in sku_ids if sku_id not in self._codes]
        if unknown:
            if len(self._codes) + len(unknown) > CODES_KEPT:
                self._codes.clear()
                unknown = list(sku_ids)
            found = handling(unknown)
            self._codes |= {sku_id: one.code for sku_id, one in found.items()}
            self._needs |= {
                sku_id: one for sku_id, one in found.items() if one.ships or one.hands_over
            }
        return self._codes

    def needs(self, sku_id: int, *, pickup: bool) -> frozenset[str]:
        """What a node must be able to do to send the SKU, or to hand it over.

        Known of the SKUs whose codes have been asked for.
        """
        found = self._needs.get(sku_id)
        if found is None:
            return NOTHING
        return found.hands_over if pickup else found.ships


_current: list[Reference] = []


def current() -> Reference:
    """The reference values as of now: one statement, and only what has changed is read again."""
    found = versions.read(TOPICS)
    if not _current or _current[0].versions != found:
        kept = Reference(found)
        if _current:
            _keep_unchanged(_current[0], kept)
        _current[:] = [kept]
    return _current[0]


def forget() -> None:
    """Read everything again at the next call: between tests."""
    _current.clear()
    willingness.forget()
    books.forget()


def _keep_unchanged(before: Reference, now: Reference) -> None:
    def same(topic: str) -> bool:
        return before.versions[topic] == now.versions[topic]

    if same("rates"):
        now._rates = before._rates
        if same("network"):
            now._networks = before._networks
    if same("policy"):
        now._channels = before._channels
        now._pledges = before._pledges
    if same(OFFERS_TOPIC):
        now._offers = before._offers
    if same("policy") and same("network"):
        now._policies = before._policies
    if same("skus"):
        now._codes = before._codes
        now._needs = before._needs
        now._traits = before._traits


def _read_network(
    account_id: UUID, channel_id: UUID, services: frozenset[str], version: int
) -> Network:
    nodes = inventory.selectors.network(account_id, version=version)
    uses = inventory.selectors.channel_nodes(channel_id, version=version)
    slower = services - inventory.selectors.same_day_services()
    unheard = inventory.selectors.nodes_without_same_day(account_id, [view.id for view in nodes])
    shipping, pickup = [], []
    for view in nodes:
        ships, picks_up = uses.get(view.id, (False, False))
        calendar = _calendar(view)
        offered = slower if view.id in unheard else services
        shipping.append(_node(view, calendar, "ship", offered, member=ships))
        pickup.append(_node(view, calendar, "pickup", frozenset({engine.PICKUP}), member=picks_up))
    # Where nobody has said of any node what it can do, nothing is asked of them.
    if any(view.capabilities for view in nodes):
        able = {view.id: view.capabilities for view in nodes}
        shipping = [replace(node, capabilities=able[node.id]) for node in shipping]
        pickup = [replace(node, capabilities=able[node.id]) for node in pickup]
    paced = {view.id for view in nodes if any(_is_paced(known) for known in view.capacities)}
    return Network(tuple(shipping), tuple(pickup), _limits(nodes), frozenset(paced))


def _is_paced(known: CapacityView) -> bool:
    return not known.hard and known.function != Function.RECEIVING


def _limits(nodes: Iterable[NodeView]) -> dict[tuple[int, str], int]:
    limited = {
        (view.id, known.function, known.resource)
        for view in nodes
        for known in view.capacities
        if known.hard
    }
    return Counter((node_id, function) for node_id, function, _ in limited)


def _node(
    view: NodeView,
    calendar: engine.Calendar,
    function: str,
    services: frozenset[str],
    *,
    member: bool,
) -> engine.Node:
    is_open = view.performs(function)
    return engine.Node(
        id=view.id,
        code=view.code,
        name=view.name,
        place=_place_of(view),
        timezone=view.timezone,
        services=services,
        calendar=calendar,
        ship_open=is_open,
        closed_reason="" if is_open else _closed_reason(view, function),
        handling_cost=view.handling_cost_minor if function == "ship" else 0,
        pick_cost=view.pick_cost_minor,
        priority=view.priority,
        groups=frozenset({IN_NETWORK}) if member else frozenset(),
        # Its own hours and processing time hold whatever it offers; a plan adds its offers' terms.
        partner=engine.Partner() if view.kind == NodeKind.SUPPLIER else None,
    )


def _closed_reason(view: NodeView, function: str) -> str:
    """The engine's word for a node that will be back, or what else the network says."""
    paused = view.state == "paused" or any(
        known.function == function and known.paused for known in view.functions
    )
    if paused and view.state in ("active", "paused"):
        return engine.PAUSED
    return view.reason_closed(function)


def _place_of(view: NodeView) -> engine.Place:
    precision = engine.Precision.POSTAL_CODE
    if view.latitude is not None and view.longitude is not None:
        latitude, longitude = view.latitude, view.longitude
    else:
        found = locate(view.postal_code, view.region, view.country)
        latitude, longitude, precision = found.latitude, found.longitude, found.precision
    return engine.Place(view.postal_code, latitude, longitude, view.region, view.country, precision)


def _calendar(view: NodeView) -> engine.Calendar:
    hours: list[tuple[time, time] | None] = [None] * 7
    for row in view.hours:
        hours[row.weekday] = (row.opens, row.closes)
    # Where nothing is said of cutoffs, parcels leave with the last pickup of the day.
    rows = view.cutoffs or tuple(
        CutoffView(row.service, row.weekday, row.at_local) for row in view.pickups
    )
    cutoffs: dict[str, tuple[time | None, ...]] = {}
    for service in {row.service for row in rows}:
        cutoffs[service or engine.ANY_SERVICE] = _week(rows, service)
    return engine.Calendar(
        hours=tuple(hours),
        cutoffs=cutoffs,
        holidays=view.closures,
        processing_minutes=view.processing_minutes,
        special={row.on: (row.opens, row.closes) for row in view.special_days},
    )


def _week(rows: tuple[CutoffView, ...], service: str | None) -> tuple[time | None, ...]:
    week: list[time | None] = [None] * 7
    for row in rows:
        if row.service == service:
            week[row.weekday] = row.at_local
    return tuple(week)


def _read_policies(account_id: UUID, version: int) -> dict[UUID | None, Policy]:
    live = list(
        SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).filter(
            account_id=account_id, state=PolicyState.LIVE
        )
    )
    return {row.channel_id: policy_of(row, version=version) for row in live}


def policy_of(row: SourcingPolicy, *, version: int | None = None) -> Policy:
    """The policy with its rules, whatever state it is in. `version` is the network's, where known.

    Nodes and groups are read only where it has rules.
    """
    base = rules_of(row)
    said = TERMS | row.weights
    policy = Policy(
        row.pk,
        base,
        prices_percent=int(said["prices_percent"]),
        worthwhile_minor=int(said["worthwhile_minor"]),
        worthwhile_percent=int(said["worthwhile_percent"]),
        reroute_minor=int(said["reroute_minor"]),
        days_ahead=int(said["days_ahead"]),
    )
    if not row.rules:
        return policy
    nodes = inventory.selectors.network(row.account_id, version=version)
    groups = groups_of_nodes(row.account_id)
    return replace(policy, cases=cases_of(base, parse_rules(row.rules), nodes, groups))


def rules_of(row: SourcingPolicy) -> engine.Policy:
    """The policy as the engine takes it, whatever state it is in."""
    weights = row.weights
    goodwill = int(weights.get("goodwill_minor", 0))
    return engine.Policy(
        code=row.code,
        version=row.version,
        weights=engine.Weights(
            cost_percent=int(weights.get("cost_percent", 100)),
            parcel=int(weights.get("parcel_minor", 0)),
            distance_per_km=int(weights.get("km_milli", 0)),
            late_day=int(weights.get("late_day_minor", 0)),
            day=int(weights.get("day_minor", 0)),
        ),
        max_nodes_per_demand=row.max_nodes,
        max_nodes_per_line=None if row.split_lines else 1,
        allow_partial=row.allow_partial,
        fill_first=not goodwill,
        goodwill=goodwill,
        groups=frozenset({IN_NETWORK}),
        max_km=row.max_km,
        on_time=row.on_time,
        soft=frozenset(engine.Constraint(code) for code in row.soft),
    )


def _read_rates() -> engine.RateCard:
    """All rate cards as one, the standard service first; the carriers rest on all their holidays."""
    cards = (
        RateCard.objects.select_related("service_level")
        .prefetch_related(Prefetch("zones", RateZone.objects.order_by("max_km")))
        .order_by("code")
    )
    ordered = sorted(cards, key=lambda card: card.service_level.kind != "standard")
    zones = {
        card.service_level.code: tuple(
            engine.Zone(
                zone.max_km, zone.base_minor, zone.per_kg_minor, zone.days_p50, zone.days_p90
            )
            for zone in card.zones.all()
        )
        for card in ordered
    }
    rests: set[date] = set()
    for country in {card.holiday_country for card in ordered}:
        rests |= carrier_holidays(country)
    return engine.RateCard(
        zones={**(zones or {STANDARD: BUILT_IN_ZONES}), engine.PICKUP: PICKUP_ZONES},
        currency=ordered[0].currency if ordered else "USD",
        carrier_holidays=frozenset(rests),
        learnt=_read_learnt(),
        refused={
            card.service_level.code: frozenset(card.service_level.refuses)
            for card in ordered
            if card.service_level.refuses
        },
    )


def _read_learnt() -> dict[engine.LaneKey, tuple[tuple[int, int], ...]]:
    """The lanes that our own parcels have taught us: each weekday's own days, else those of all."""
    rows: dict[engine.LaneKey, dict[int | None, tuple[int, int]]] = {}
    for node_id, service, max_km, weekday, p50, p90 in LearntLane.objects.values_list(
        "node_id", "service", "max_km", "weekday", "p50", "p90"
    ):
        rows.setdefault((node_id, service, max_km), {})[weekday] = (p50, p90)
    return {
        key: tuple(known.get(weekday, known[None]) for weekday in range(7))
        for key, known in rows.items()
        if None in known
    }


@lru_cache(maxsize=8)
def carrier_holidays(country: str) -> frozenset[date]:
    """The days on which carriers of the country do not deliver; none for an unknown country."""
    try:
        days = holidays.country_holidays(country, years=CARRIER_YEARS)
    except NotImplementedError:
        return frozenset()
    if country != "US":
        return frozenset(days)
    return frozenset(day for day, name in days.items() if name in US_CARRIER_HOLIDAYS)


def unfilled_cost(unit_value_minor: int) -> int:
    """What leaving one unit unfilled counts for, in minor units: its price, and at least one."""
    return max(1, unit_value_minor)
