"""Slack burns towards a promise; danger is seen before the breach, and once per level."""

from datetime import timedelta

import pytest

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import PromiseSlack, StageTime
from fulfillment.services import learn_stages, record_picks, report_jeopardy
from fulfillment.services.slack import SHARDS, assess_range
from fulfillment.slack import AT_NODE, Level, Pace, dangers, targets
from fulfillment.states import Stage
from fulfillment.types import Pick
from tests.factories.fulfillment import BEN, MORNING, many_packed, place, released, shipped
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import NOON
from tests.factories.promises import HOUR, every_stage_takes_an_hour, promise_for, slack_of

PACES = {stage: Pace(1_800, 3_600, 7_200) for stage in Stage}


class TestPlan:
    def test_shares_the_time_to_ship_by_as_stages_usually_take_it(self):
        planned = targets(NOON, NOON + 12 * HOUR, NOON + 60 * HOUR, PACES)

        assert [planned[stage] - NOON for stage in AT_NODE] == [2 * n * HOUR for n in range(1, 7)]
        assert planned[Stage.DELIVER] == NOON + 60 * HOUR

    def test_levels_begin_where_the_pace_no_longer_suffices(self):
        found = dangers(Stage.PACK, NOON, NOON + 5 * HOUR, PACES)

        assert found.low_at == NOON + 3 * HOUR
        assert found.high_at == NOON + 4 * HOUR
        assert found.certain_at == NOON + timedelta(hours=4, minutes=30)
        assert [found.level(NOON + h * HOUR) for h in (0, 3, 4, 5)] == [
            Level.NONE, Level.LOW, Level.HIGH, Level.CERTAIN,
        ]  # fmt: skip

    def test_too_little_time_from_the_beginning_is_danger_at_once(self):
        found = dangers(Stage.PICK, NOON, NOON + 2 * HOUR, PACES)

        assert found.level(NOON) is Level.HIGH


@pytest.mark.django_db
class TestAssess:
    def test_follows_the_work_from_stage_to_stage(self):
        placed, work = released()
        every_stage_takes_an_hour(placed.order.account_id)
        promise_for(placed, NOON + 10 * HOUR, NOON + 58 * HOUR)

        first = slack_of(placed, at=NOON)
        line = work.lines.get()
        record_picks([Pick(line.pk, line.requested)], at=NOON + HOUR, actor=BEN)
        second = slack_of(placed, at=NOON + HOUR)

        assert (first.stage, first.since, first.high_at) == ("acknowledge", NOON, NOON + 7 * HOUR)
        assert (second.stage, second.since) == ("pack", NOON + HOUR)
        assert second.high_at == NOON + 9 * HOUR
        assert second.node_id == work.node_id

    def test_a_parcel_on_its_way_is_held_against_the_last_day(self):
        placed, _, _ = shipped()
        promise_for(placed, NOON, NOON + timedelta(days=2))

        found = slack_of(placed, at=NOON)

        assert (found.stage, found.promised_at) == ("deliver", NOON + timedelta(days=2))

    def test_what_is_waiting_is_of_no_node(self):
        sku = SkuFactory()
        placed = place({sku: 1}, NodeFactory(account=sku.account), reserve=False)
        promise_for(placed, NOON + HOUR, NOON + 50 * HOUR)

        found = slack_of(placed, at=NOON)

        assert (found.stage, found.node_id, found.since) == ("release", None, MORNING)

    def test_a_range_forgets_what_is_over(self):
        placed = [released()[0] for _ in range(3)]
        for one in placed:
            promise_for(one, NOON + 10 * HOUR, NOON + 58 * HOUR)
        for shard in range(SHARDS):
            assess_range(shard, at=NOON)
        rows = PromiseSlack.objects.for_scope(ALL_ACCOUNTS)
        assert rows.count() == 3

        placed[0].order.groups.update(ship_by=None)
        for shard in range(SHARDS):
            assess_range(shard, at=NOON + HOUR)

        assert set(rows.values_list("group_id", flat=True)) == {p.group.pk for p in placed[1:]}


@pytest.mark.django_db
class TestJeopardy:
    def test_is_reported_once_per_level_and_before_the_breach(self):
        placed, _ = released()
        every_stage_takes_an_hour(placed.order.account_id)
        promise_for(placed, NOON + 10 * HOUR, NOON + 58 * HOUR)
        slack_of(placed, at=NOON)

        heard = [
            len(report_jeopardy(limit=10, at=NOON + hours * HOUR, actor=BEN))
            for hours in (1, 4, 6, 6, 7, 7, 9, 11)
        ]

        assert heard == [0, 0, 0, 0, 1, 0, 1, 0]
        levels = [row.evidence["level"] for row in CaseReport.objects.order_by("id")]
        assert levels == ["high", "certain"]


@pytest.mark.django_db
def test_paces_are_learnt_by_node_from_what_was_recorded():
    sku = SkuFactory()
    node = NodeFactory(account=sku.account)
    many_packed(12, sku=sku, node=node)

    learn_stages(at=NOON + HOUR)
    learn_stages(at=NOON + 2 * HOUR)

    learnt = StageTime.objects.for_scope(ALL_ACCOUNTS).filter(node=node)
    assert dict(learnt.values_list("stage", "usual")) == {
        "accept": 0, "release": 3 * 3_600, "acknowledge": 0, "pick": 0, "pack": 0,
    }  # fmt: skip
    assert StageTime.objects.for_scope(ALL_ACCOUNTS).filter(node=None).count() == 5
