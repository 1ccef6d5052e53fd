"""Buffer rules: which one counts, what it comes to, when, and what a preview says of it."""

from datetime import timedelta

import pytest

from config.kernel.errors import IllegalTransition, Invalid, NotFound
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from inventory import services
from inventory.exchange.files import shown
from inventory.exchange.rules import BUFFER_RULES
from inventory.exchange.working import work
from inventory.models import (
    BufferRule,
    ChannelTerm,
    NodeGroup,
    NodeGroupMember,
    NodeSignal,
    PositionSafety,
    QuotaPlan,
)
from inventory.selectors.previews import preview_quotas, preview_rules
from inventory.types import BufferChange, Haircut, QuotaDraft, RuleDraft, Selection
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    ChannelNodeFactory,
    NodeFactory,
    SkuFactory,
    change_of,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class World:
    """Two SKUs at a warehouse and a store, sold by a web shop (both nodes) and a marketplace (DC)."""

    def __init__(self, units=10):
        self.web = ChannelFactory()
        self.account = self.web.account
        self.market = ChannelFactory(account=self.account)
        self.shirt = SkuFactory(account=self.account, code="SHIRT", attributes={"season": "winter"})
        self.mug = SkuFactory(account=self.account, code="MUG")
        self.dc = NodeFactory(account=self.account)
        self.store = NodeFactory(account=self.account, store=True)
        for channel, node in [(self.web, self.dc), (self.web, self.store), (self.market, self.dc)]:
            ChannelNodeFactory(channel=channel, node=node)
        self.stores = NodeGroup.objects.create(account=self.account, code="stores", name="Stores")
        NodeGroupMember.objects.create(group=self.stores, node=self.store)
        self.at = {
            (sku.code, node.pk): stock(units, sku=sku, node=node)
            for sku in (self.shirt, self.mug)
            for node in (self.dc, self.store)
        }

    def rule(self, sequence=10, **details) -> RuleDraft:
        return RuleDraft(
            account_id=self.account.pk,
            name=details.pop("name", f"rule {sequence}"),
            sequence=sequence,
            starts_at=details.pop("starts_at", NOON - DAY),
            **details,
        )

    def publish(self, *drafts, at=NOON):
        ids = services.define_rules(drafts, at=at, actor=ANNA)
        services.publish_rules(ids, at=at, actor=ANNA)
        return ids

    def buffers(self, sku="SHIRT"):
        """Of the warehouse and of the store."""
        return tuple(reread(self.at[sku, node.pk].pk).buffer for node in (self.dc, self.store))


class TestWhichRuleCounts:
    def test_the_last_that_matches(self):
        world = World()
        winter = Selection(attribute="season", attribute_value="winter")
        world.publish(
            world.rule(10, safety_units=1),
            world.rule(30, safety_units=2, group_id=world.stores.pk),
            world.rule(20, safety_units=5, selection=winter),
        )

        assert world.buffers("SHIRT") == (5, 2)
        assert world.buffers("MUG") == (1, 2)
        assert check_all(about="stock.") == []

    def test_within_a_rule_the_greatest_of_units_share_and_cover(self):
        world = World(10)
        position = world.at["SHIRT", world.dc.pk]
        services.take([want(position, 6)], at=NOON - DAY, actor=ANNA)
        world.publish(
            world.rule(safety_units=1, safety_percent=15, cover_days=2, cover_over_days=3)
        )

        assert world.buffers("SHIRT") == (4, 2), "two days of 6 / 3, and 15 % of 10 rounded up"

    def test_a_rule_for_a_channel_is_a_threshold(self):
        world = World()
        (rule,) = world.publish(
            world.rule(channel_id=world.market.pk, threshold=3, selection=Selection(("SHIRT",)))
        )

        (term,) = ChannelTerm.objects.for_scope(ALL_ACCOUNTS)
        assert (term.channel_id, term.sku_id, term.threshold, term.rule_id) == (
            world.market.pk,
            world.shirt.pk,
            3,
            rule,
        )
        services.end_rules([rule], at=NOON, actor=ANNA)
        assert not ChannelTerm.objects.for_scope(ALL_ACCOUNTS).exists()


class TestByHand:
    def test_stands_above_every_rule_until_it_is_given_up(self):
        world = World()
        world.publish(world.rule(safety_units=2))
        place = world.at["SHIRT", world.dc.pk]
        services.set_buffers([BufferChange(place.node_id, place.sku_id, 7)], at=NOON, actor=ANNA)
        services.apply_buffer_rules(world.account.pk, None, at=NOON, actor=ANNA)

        assert world.buffers("SHIRT") == (7, 2)
        kept = PositionSafety.objects.for_scope(ALL_ACCOUNTS).get(position=place)
        assert (kept.rule_id, kept.units) == (None, 7)

        assert services.give_up_buffers([place.pk], at=NOON, actor=ANNA) == 1
        assert world.buffers("SHIRT") == (2, 2)


class TestWhen:
    def test_counts_from_its_start_to_before_its_end(self):
        world = World()
        world.publish(world.rule(safety_units=4, starts_at=NOON + DAY, ends_at=NOON + 2 * DAY))
        seen = []
        for moment in (NOON, NOON + DAY, NOON + 2 * DAY):
            services.apply_due(100, at=moment, actor=ANNA)
            seen.append(world.buffers("SHIRT")[0])

        assert seen == [0, 4, 0]

    def test_is_applied_to_positions_that_are_new(self):
        world = World()
        world.publish(world.rule(safety_units=2))
        services.apply_due(100, at=NOON, actor=ANNA)
        fresh = stock(3, sku=world.shirt, node=NodeFactory(account=world.account))

        services.apply_due(100, at=NOON + timedelta(seconds=5), actor=ANNA)

        assert reread(fresh.pk).buffer == 2

    def test_a_draft_does_nothing_and_a_withdrawn_rule_no_more(self):
        world = World()
        (rule,) = services.define_rules([world.rule(safety_units=2)], at=NOON, actor=ANNA)
        services.apply_buffer_rules(world.account.pk, None, at=NOON, actor=ANNA)
        assert world.buffers() == (0, 0)
        services.publish_rules([rule], at=NOON, actor=ANNA)
        services.define_rules([world.rule(safety_units=3, id=rule)], at=NOON, actor=ANNA)
        assert world.buffers() == (3, 3)
        services.withdraw_rules([rule], at=NOON, actor=ANNA)
        assert world.buffers() == (0, 0)

        topics = (
            Event.objects.for_scope(ALL_ACCOUNTS)
            .filter(subject_id=rule)
            .order_by("seq")
            .values_list("topic", "seq")
        )
        assert list(topics) == [
            ("rule.defined", 1),
            ("rule.published", 2),
            ("rule.defined", 3),
            ("rule.withdrawn", 4),
        ]
        states = BufferRule.history.filter(id=rule).order_by("history_id")
        assert [row.state for row in states] == ["draft", "live", "live", "draft"]


class TestHaircut:
    def test_is_held_back_on_top_of_the_safety_stock_and_lifted_again(self):
        world = World(10)
        world.publish(world.rule(safety_units=1))
        silent = Haircut(world.dc.pk, "feed", 25, "silent for an hour")
        assert services.apply_haircuts([silent], at=NOON, actor=ANNA) == 1
        assert services.apply_haircuts([silent], at=NOON, actor=ANNA) == 0
        position = reread(world.at["SHIRT", world.dc.pk].pk)
        assert (position.buffer, position.haircut) == (4, 3)

        services.apply_haircuts([Haircut(world.dc.pk, "feed", 0)], at=NOON, actor=ANNA)
        assert world.buffers() == (1, 1)

    def test_follows_how_many_units_the_node_does_not_find(self):
        world = World(10)
        signal = NodeSignal.objects.create(
            node=world.dc, code="pick_fail_rate", value=18.5, as_of=NOON
        )
        assert services.follow_signals(at=NOON, actor=ANNA) == 1
        assert world.buffers() == (2, 0)

        signal.value = 3.0
        signal.save()
        services.follow_signals(at=NOON, actor=ANNA)
        assert world.buffers() == (0, 0)

    def test_of_everything_stops_the_node_whatever_arrives(self):
        world = World(10)
        services.apply_haircuts([Haircut(world.dc.pk, "feed", 100)], at=NOON, actor=ANNA)
        position = world.at["SHIRT", world.dc.pk]
        receipt = change_of(position, 50, "receipt")
        services.record_changes([receipt], at=NOON, actor=ANNA)

        assert services.take([want(position, 1)], at=NOON, actor=ANNA).taken == ()
        assert check_all(about="stock.") == []


class TestPreview:
    def test_says_what_a_rule_does_to_every_channel_and_changes_nothing(self):
        world = World(10)
        world.publish(world.rule(safety_units=1))

        told = preview_rules(
            world.account.pk,
            [
                world.rule(20, safety_units=10, selection=Selection(("SHIRT",))),
                world.rule(30, channel_id=world.web.pk, threshold=4, selection=Selection(("MUG",))),
            ],
            at=NOON,
        )

        assert (told.skus, told.positions) == (2, 2)
        web, market = (
            next(one for one in told.channels if one.channel_id == channel.pk)
            for channel in (world.web, world.market)
        )
        assert (web.changed, web.to_zero, web.units_before, web.units_after) == (2, 1, 36, 14)
        assert (market.changed, market.to_zero, market.units_after) == (1, 1, 9)
        assert [(drop.code, drop.before, drop.after) for drop in web.biggest_drops] == [
            ("SHIRT", 18, 0),
            ("MUG", 18, 14),
        ]
        assert world.buffers("SHIRT") == (1, 1)

    def test_says_what_it_does_to_take_a_rule_away(self):
        world = World(10)
        (rule,) = world.publish(world.rule(safety_units=3))

        told = preview_rules(world.account.pk, removed=[rule], at=NOON)

        assert [(one.raised, one.units_after - one.units_before) for one in told.channels] == [
            (2, 12),
            (2, 6),
        ]

    def test_comes_true_when_the_rule_is_saved(self):
        world = World(10)
        change = world.rule(safety_percent=33, group_id=world.stores.pk)
        told = preview_rules(world.account.pk, [change], at=NOON)

        world.publish(change)

        again = preview_rules(world.account.pk, [], [], at=NOON)
        assert again.skus == 0
        assert world.buffers() == (0, 4)
        assert sorted(one.units_after for one in told.channels) == [20, 32]

    def test_says_what_a_quota_keeps_from_the_others(self):
        world = World(10)
        draft = QuotaDraft(
            account_id=world.account.pk,
            channel_id=world.market.pk,
            name="prime",
            kind="fixed",
            units=6,
            cap=8,
            starts_at=NOON + DAY,
            selection=Selection(("SHIRT",)),
        )

        told = preview_quotas(world.account.pk, [draft], at=NOON)

        assert {one.channel_id: one.units_after - one.units_before for one in told.channels} == {
            world.web.pk: -6,
            world.market.pk: -2,
        }
        services.plan_quotas([draft], at=NOON + DAY, actor=ANNA)
        gone = preview_quotas(world.account.pk, removed=_plans(), at=NOON + DAY)
        assert {one.units_after - one.units_before for one in gone.channels} == {6, 2}


class TestRefusals:
    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"threshold": 2},
            {"safety_units": -1},
            {"safety_percent": 101},
            {"cover_days": 400},
            {"safety_units": 1, "ends_at": NOON - 2 * DAY},
            {"safety_units": 1, "name": " "},
            {"safety_units": 1, "node_ids": (999_999,)},
            {"safety_units": 1, "group_id": 999_999},
            {"safety_units": 1, "selection": Selection(attribute_value="winter")},
        ],
    )
    def test_a_rule_that_contradicts_itself_or_names_nothing_of_ours(self, wrong):
        world = World()

        with pytest.raises(Invalid):
            services.define_rules([world.rule(**wrong)], at=NOON, actor=ANNA)

        assert not BufferRule.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_another_accounts_rule_and_one_that_has_ended(self):
        world, other = World(), AccountFactory()
        (rule,) = world.publish(world.rule(safety_units=1))
        stranger = Actor.system("bert", scope=Scope(frozenset({other.pk})))
        with pytest.raises(NotFound):
            services.end_rules([rule], at=NOON, actor=stranger)
        with pytest.raises(NotFound):
            services.define_rules([world.rule(safety_units=1)], at=NOON, actor=stranger)

        services.end_rules([rule], at=NOON, actor=ANNA)
        with pytest.raises(IllegalTransition):
            services.publish_rules([rule], at=NOON, actor=ANNA)
        with pytest.raises(NotFound):
            services.define_rules([world.rule(safety_units=1, id=rule)], at=NOON, actor=ANNA)


def _plans():
    return list(QuotaPlan.objects.for_scope(ALL_ACCOUNTS).values_list("pk", flat=True))


class TestAsFiles:
    def test_what_was_exported_changes_nothing_when_it_comes_back(self):
        world = World()
        world.publish(world.rule(10, safety_units=1, group_id=world.stores.pk, name="floor"))
        (values,) = BUFFER_RULES.current(world.account.pk, None)
        header = [column.name for column in BUFFER_RULES.columns]
        cells = shown(BUFFER_RULES, values, header)

        def sent(*rows):
            numbered = list(enumerate(rows, 1))
            return work(BUFFER_RULES, world.account.pk, header, numbered, at=NOON, actor=ANNA)

        assert [one.outcome for one in sent(cells)] == ["same"]
        more = [
            "3" if name == "safety_units" else cell
            for name, cell in zip(header, cells, strict=True)
        ]
        odd = [
            "moon" if name == "group" else cell for name, cell in zip(header, cells, strict=True)
        ]
        odd[0] = "other"
        told = sent(more, odd)
        assert [(one.outcome, one.column) for one in told] == [
            ("changed", ""),
            ("refused", "group"),
        ]
        assert world.buffers() == (0, 3)
