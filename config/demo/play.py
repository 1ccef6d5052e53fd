"""Plays the fortnight, and then goes on living: the same turn for both, an hour or a minute long."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import inventory.selectors
import inventory.services
import orders.services
from config.demo import shops_past
from config.demo.catalog import SkuPlan, catalog
from config.demo.counterparts import Counterparts
from config.demo.crews import Desk, Floor
from config.demo.drafts import order_draft, twin
from config.demo.goods_coming import STUCK
from config.demo.made import ACTOR, Retailer
from config.demo.regrets import Regrets
from config.demo.retailer import CHANNELS, NODES
from config.demo.shoppers import (
    HOME_ZONE,
    NOW,
    OPENING,
    Basket,
    BasketLine,
    Shoppers,
    midnight,
)
from config.demo.storefronts import SELLERS, SIMULATED
from config.kernel import clock, tasks, ticker
from config.kernel.models import Intent, IntentState
from config.kernel.services import case_folding, deliveries, intents, relay
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, OutcomeKind
from inventory.services import define
from inventory.types import ReceivedLine
from orders.selectors.groups import shipping_groups
from orders.types import Address, AddressCorrection, CapturedOrder, OrderDraft
from routing import rematching

SHOP = Actor(ActorKind.CHANNEL, "channel", "Channel", ALL_ACCOUNTS)
_TURN_HOURS = (8, 12, 15, 18, 24)
"""Local hours at which a turn of the fortnight ends: each node is open at two of them or more."""
_REORDER_HOUR = 14
_ROUND_HOURS = (8, 15)
"""Local hours at which the tickers' rounds are made while the fortnight is played."""
_WATCHING = frozenset(
    {
        "cases.detect_stuck",
        "fulfillment.assess_promises",
        "fulfillment.learn_stages",
        "fulfillment.measure_nodes",
        "fulfillment.teach_lanes",
        "inventory.compare_figures",
        "inventory.watch_drift",
        "payments.reconcile",
        rematching.NAME,
    }
)
"""Steps that look over the whole book: once a day, at the first round."""
_AT_THE_END = "console.watch_invariants"
"""All invariants are checked once the fortnight is over; on the way there nobody would look."""
_INTENTS_AT_ONCE = 50
BY_HAND = frozenset(channel.code for channel in CHANNELS) - SIMULATED
"""Channels whose orders the demo's people key in after the fortnight too."""
_KEEPERS = {kind: [node.code for node in NODES if node.kind == kind] for kind in ("dc", "supplier")}


@dataclass(slots=True)
class Demo:
    """The retailer in motion. `turn` is all that happens between two instants."""

    retailer: Retailer
    shoppers: Shoppers
    dice: random.Random
    floor: Floor
    desk: Desk
    regrets: Regrets
    counterparts: Counterparts
    plans: dict[str, SkuPlan] = field(
        default_factory=lambda: {plan.code: plan for plan in catalog()}
    )
    baskets: dict[UUID, Basket] = field(default_factory=dict)
    wrong_addresses: list[tuple[datetime, UUID]] = field(default_factory=list)
    unknown_codes: list[tuple[datetime, Basket]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        retailer: Retailer,
        counterparts: Counterparts,
        *,
        seed: int | str = 7,
        last_number: int = 10_000,
    ) -> "Demo":
        """The demo from its opening, or after a restart: chores are forgotten then."""
        dice = random.Random(seed)  # noqa: S311  # reproducible, not secret
        return cls(
            retailer,
            Shoppers(seed, last_number),
            dice,
            Floor(retailer, dice, counterparts),
            Desk(retailer, dice),
            Regrets(retailer, dice, counterparts),
            counterparts,
        )

    def turn(self, start: datetime, end: datetime) -> int:
        """Everything of [start, end); returns the number of orders that came in."""
        self.counterparts.move_to(end)
        came = self._orders_in(list(self.shoppers.between(start, end)), at=end)
        self.reorder(start, end)
        self.receive(end)
        self.desk.work(end)
        self.mend(end)
        ticker.step("fulfillment.release_due").run(end)
        self.floor.work(end)
        self.regrets.work(start, end)
        return came

    def sell_by_hand(self, start: datetime, end: datetime) -> int:
        """Orders of the channels that no simulated system runs; returns how many came."""
        baskets = self.shoppers.between(start, end)
        return self._orders_in([one for one in baskets if one.channel.code in BY_HAND], at=end)

    def _orders_in(self, baskets: Sequence[Basket], *, at: datetime) -> int:
        drafts: list[tuple[Basket, OrderDraft]] = []
        for basket in self._on_the_shelf(baskets):
            draft = order_draft(
                basket,
                account_id=self.retailer.account_id,
                channel_id=self.retailer.channel_ids[basket.channel.code],
                brand_id=self.retailer.brand_ids[basket.channel.brand],
            )
            drafts.append((basket, draft))
            if basket.flaw == "duplicate":
                drafts.append((replace(basket, flaw=""), twin(draft)))
        if not drafts:
            return 0
        drafts = self._sold(drafts)
        outcomes = orders.services.capture_orders([draft for _, draft in drafts], at=at, actor=SHOP)
        captured = [
            (basket, outcome.value)
            for (basket, _), outcome in zip(drafts, outcomes, strict=True)
            if outcome.kind is OutcomeKind.DONE and outcome.value is not None
        ]
        ready = [order.id for _, order in captured if order.accepts]
        if ready:
            orders.services.accept_orders(ready, at=at, actor=SHOP)
        for basket, order in captured:
            self._plan_chores(basket, order, at)
        return len(captured)

    def _sold(self, drafts: Sequence[tuple[Basket, OrderDraft]]) -> list[tuple[Basket, OrderDraft]]:
        """The shops sell what is theirs: their orders bear the shops' ids from then on."""
        sold = list(drafts)
        for channel, system in SELLERS.items():
            places = [n for n, (basket, _) in enumerate(sold) if basket.channel.code == channel]
            if not places:
                continue
            named = shops_past.place(self.counterparts, system, [sold[n][1] for n in places])
            for n, draft in zip(places, named, strict=True):
                sold[n] = (sold[n][0], draft)
        return sold

    def _on_the_shelf(self, baskets: Sequence[Basket]) -> list[Basket]:
        """A till sells, and a shop offers for pickup, what lies in that store: the rest is left out."""
        places = {basket: _store_of(basket) for basket in baskets if _store_of(basket)}
        held = inventory.selectors.supply(
            sorted({self._sku(line) for basket in places for line in basket.lines}),
            sorted({self.retailer.node_ids[code] for code in places.values()}),
        )
        taken: Counter[tuple[int, int]] = Counter()
        real: list[Basket] = []
        for basket in baskets:
            if basket not in places:
                real.append(basket)
                continue
            lines = []
            for line in basket.lines:
                place = (self.retailer.node_ids[places[basket]], self._sku(line))
                if place in held and held[place].free - taken[place] >= line.quantity:
                    taken[place] += line.quantity
                    lines.append(replace(line, gift_of=None))
            if lines:
                real.append(replace(basket, lines=tuple(lines)))
        return real

    def _sku(self, line: BasketLine) -> int:
        return self.retailer.sku_ids[line.sku.code]

    def _plan_chores(self, basket: Basket, order: CapturedOrder, at: datetime) -> None:
        dice, later = self.dice, self.desk.later
        hours = timedelta(hours=dice.randrange(2, 14))
        if basket.flaw == "fraud":
            later(at, "suspect", order.id)
            later(at + hours, "clear" if dice.random() < 0.7 else "regret", order.id)
        elif basket.flaw == "address":
            self.baskets[order.id] = basket
            self.wrong_addresses.append((at + hours, order.id))
        elif basket.flaw == "sku":
            self.unknown_codes.append((at + hours * 2, basket))
        elif basket.flaw == "unpaid":
            later(at + timedelta(hours=30), "drop", order.id)
        elif basket.flaw in {"total", "duplicate"} or "duplicate" in order.holds:
            later(at + hours, "clear" if dice.random() < 0.5 else "regret", order.id)
        elif dice.random() < 0.02 and not basket.till_node:
            later(at + timedelta(hours=dice.randrange(1, 30)), "regret", order.id)
        elif dice.random() < 0.03:
            later(at + hours * 3, "note", order.id)

    def mend(self, at: datetime) -> None:
        """Addresses are asked for and corrected; codes that nobody knew are mapped."""
        due = [order for when, order in self.wrong_addresses if when <= at]
        self.wrong_addresses = [entry for entry in self.wrong_addresses if entry[0] > at]
        if due:
            corrections = []
            for group_id, order_id in shipping_groups(due).items():
                person = self.baskets.pop(order_id, None)
                if person is not None:
                    corrections.append(AddressCorrection(group_id, _address_of(person)))
            self.desk.correct(corrections, at)
        codes = [basket for when, basket in self.unknown_codes if when <= at]
        self.unknown_codes = [entry for entry in self.unknown_codes if entry[0] > at]
        for channel in sorted({basket.channel.code for basket in codes}):
            wanted = [b.lines[0].sku for b in codes if b.channel.code == channel]
            channel_id = self.retailer.channel_ids[channel]
            define.define_listings(
                [
                    (channel_id, f"{sku.code}-2027", self.retailer.sku_ids[sku.code])
                    for sku in {sku.code: sku for sku in wanted}.values()
                ],
                at=at,
                actor=ACTOR,
            )
            orders.services.map_skus(
                self.retailer.account_id,
                channel_id,
                [f"{sku.code}-2027" for sku in wanted],
                at=at,
                actor=ACTOR,
            )

    def reorder(self, start: datetime, end: datetime) -> None:
        """Once a day the buyers order what somebody waits for; it takes two to four days."""
        due = end.replace(hour=_REORDER_HOUR, minute=0, second=0, microsecond=0)
        if not start < due <= end:
            return
        codes = {sku_id: code for code, sku_id in self.retailer.sku_ids.items()}
        nodes = {node_id: code for code, node_id in self.retailer.node_ids.items()}
        wanted: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for sku_id, claims in inventory.selectors.waiting(list(codes)).items():
            plan = self.plans[codes[sku_id]]
            keepers = _KEEPERS["dc" if "dc" in plan.carried_by else "supplier"]
            units: Counter[str] = Counter()
            for claim in claims:
                units[nodes.get(claim.node_id or 0) or keepers[sku_id % len(keepers)]] += claim.open
            for node, missing in units.items():
                wanted[node].append((plan.code, missing + 12))
        define.announce_inbound(
            [
                define.InboundDraft(
                    number=f"RO-{due:%m%d}-{node}",
                    kind="po",
                    source="replenishment",
                    node_code=node,
                    eta_at=due + timedelta(days=self.dice.randrange(2, 5)),
                    lines=tuple(lines),
                    reliability_percent=85,
                )
                for node, lines in sorted(wanted.items())
            ],
            account_id=self.retailer.account_id,
            sku_ids=self.retailer.sku_ids,
            node_ids=self.retailer.node_ids,
            at=end,
            actor=Actor.system("replenishment"),
        )

    def receive(self, at: datetime) -> list[tuple[str, str, int]]:
        """Purchase orders arrive, now and then short or over by a few: (node, SKU, units) of them."""
        came: list[tuple[str, str, int]] = []
        nodes = {node_id: code for code, node_id in self.retailer.node_ids.items()}
        skus = {sku_id: code for code, sku_id in self.retailer.sku_ids.items()}
        due = inventory.selectors.arriving(at, self.retailer.account_id, besides=STUCK)
        for inbound_id, lines in due.items():
            received = []
            for line in lines:
                units = max(1, line.expected + self.dice.choice((0, 0, 0, 0, -2, 1)))
                key = f"{line.line_id}:{line.expected}"
                received.append(ReceivedLine(line.line_id, units, external_id=key))
                # What was sold before it existed lies on no simulated shelf.
                if line.sku_id in skus:
                    came.append((nodes[line.node_id], skus[line.sku_id], units))
            inventory.services.receive_inbound(
                inbound_id, received, at=at, actor=Actor.system("receiving")
            )
        return came


def pump(at: datetime) -> None:
    """Do at once what workers do in their own time: deliver, ask outside, fold cases."""
    for _ in range(3):
        relay.relay()
        if not deliveries.run_due(at=at):
            break
    while intents.run_due(at=at, limit=_INTENTS_AT_ONCE):
        pass
    case_folding.fold_reports(at=at)


def ring(at: datetime) -> None:
    """Leave that to the worker that runs beside."""
    del at
    relay.relay()
    tasks.ring(tasks.look())


def play_fortnight(
    demo: Demo, progress: Callable[[datetime, int], None], *, pump: Callable[[datetime], None]
) -> int:
    """Play from the opening to now; `progress(instant, orders so far)` after every turn.

    `pump` has the events, questions and cases of a turn worked off, here or by a worker.
    """
    came, start = 0, OPENING
    while start < NOW:
        end = min(NOW, turn_end(start))
        clock.set_to(end, speed=0)
        came += demo.turn(start, end)
        # Before the rounds, so that a worker has something to do while they are made.
        pump(end)
        hour = end.astimezone(HOME_ZONE).hour
        if hour in _ROUND_HOURS:
            for step in ticker.steps(quick=True) + ticker.steps(quick=False):
                once_a_day = step.name in _WATCHING
                if step.name == _AT_THE_END or (once_a_day and hour != _ROUND_HOURS[0]):
                    continue
                if step.name == rematching.NAME:
                    # Live a process of its own does it, which takes longer to start than this takes.
                    rematching.rematch(end)
                else:
                    step.run(end)
            # The carriers are asked about some hundreds of parcels at a time.
            ticker.step("integrations.ask_carriers").run(end)
        pump(end)
        progress(end, came)
        start = end
    return came


def turn_end(start: datetime) -> datetime:
    """When the turn that begins here is over."""
    day = midnight(start.astimezone(HOME_ZONE).date())
    ends = (day + timedelta(hours=hour) for hour in _TURN_HOURS)
    return next(end for end in ends if end > start)


def drain(*, seconds: float) -> bool:
    """Wait for the worker to have worked everything off; False when time is up."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        relay.relay()
        waiting = tasks.look()
        if not waiting and not _in_hand():
            return True
        tasks.ring(waiting)
        time.sleep(0.2)
    return False


def _in_hand() -> bool:
    """Whether a worker still holds an intent."""
    return Intent.objects.for_scope(ALL_ACCOUNTS).filter(state=IntentState.RUNNING).exists()


def _store_of(basket: Basket) -> str:
    """The store that the goods must already lie in; empty when they may come from anywhere."""
    return basket.till_node or basket.pickup_node or ""


def _address_of(basket: Basket) -> Address:
    person = basket.buyer
    return Address(
        name=person.name,
        line1=person.line1,
        city=person.city,
        region=person.region,
        postal_code=person.postal_code,
        country="US",
        phone=person.phone,
    )
