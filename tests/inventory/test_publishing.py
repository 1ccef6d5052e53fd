"""Figures per channel: kept within seconds of any cause, versioned, told when they cross a line."""

from datetime import timedelta

import pytest

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import ChannelAvailability, DirtySku, StockPosition
from inventory.types import ExclusionWanted, Published, StockChange
from tests.books import check_all
from tests.factories.inventory import ANNA, SkuFactory, stock, want
from tests.factories.kernel import NOON
from tests.inventory.shops import a_shop, unplaced

pytestmark = pytest.mark.django_db(transaction=True)


def publish(seconds: int = 0, **details) -> Published:
    at = NOON + timedelta(seconds=seconds)
    return services.publish_changes(details.pop("limit", 1_000), at=at, actor=ANNA, **details)


def kept(shop) -> dict[int, tuple[int, int]]:
    """Figure and version of every SKU of the channel."""
    rows = ChannelAvailability.objects.for_scope(ALL_ACCOUNTS).filter(channel=shop.channel)
    return {row.sku_id: (row.ats, row.version) for row in rows}


def told() -> list[tuple[str, int, int]]:
    rows = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic__startswith="availability.")
    return [(row.topic, row.data["units"], row.seq) for row in rows.order_by("id")]


def test_figures_follow_whatever_they_depend_on_and_rest_when_nothing_has_changed():
    shop = a_shop(nodes=2)
    sku, spare = SkuFactory.create_batch(2, account=shop.account)
    kit = SkuFactory(account=shop.account, kind="kit", components={sku: 2})
    first, second = (stock(20, sku=sku, node=node) for node in shop.nodes)

    assert publish(0) == Published(counted=2, changed=2)
    assert kept(shop) == {sku.pk: (40, 1), kit.pk: (20, 1)}
    assert publish(1) == Published()

    taken = services.take([want(first, 7)], at=NOON, actor=ANNA).taken
    publish(2)
    assert kept(shop) == {sku.pk: (33, 2), kit.pk: (16, 2)}

    services.exclude(
        [ExclusionWanted(second.node_id, sku.pk, NOON + timedelta(seconds=9), "x")],
        at=NOON,
        actor=ANNA,
    )
    publish(3)
    assert kept(shop)[sku.pk] == (13, 3)
    publish(10)
    assert kept(shop)[sku.pk] == (33, 4)

    with unplaced({sku.pk: 5}):
        publish(11)
        assert kept(shop)[sku.pk] == (28, 5)
        assert publish(12) == Published()
    publish(13)
    assert kept(shop)[sku.pk] == (33, 6)

    services.pause_node(shop.nodes[1].pk, None, None, "flood", at=NOON, actor=ANNA)
    publish(14)
    assert kept(shop)[sku.pk] == (13, 7)

    stock(3, sku=spare, node=shop.nodes[0])
    assert publish(15) == Published(counted=1, changed=1)
    assert kept(shop)[spare.pk] == (3, 1)
    assert taken
    assert check_all() == []


def test_changes_beyond_the_limit_wait_for_the_next_turn():
    shop = a_shop()
    positions = [stock(5, node=shop.nodes[0], sku=SkuFactory(account=shop.account)) for _ in "abc"]

    assert publish(0, limit=2) == Published(counted=2, changed=2, left=1)
    assert publish(1, limit=2) == Published(counted=1, changed=1)
    assert len(kept(shop)) == len(positions)
    assert not DirtySku.objects.for_scope(ALL_ACCOUNTS).exists()


def test_crossing_a_line_is_told_once_per_crossing():
    shop = a_shop()
    shop.channel.settings = {"low_units": 3}
    shop.channel.save()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    for second, units in enumerate([0, -7, -1, -2, 4, 6]):
        if units:
            change = StockChange(
                position.node_id, position.sku_id, position.account_id, units, "adjust"
            )
            services.record_changes([change], at=NOON, actor=ANNA)
        publish(second)

    assert told() == [
        ("availability.low", 3, 2),
        ("availability.sold_out", 0, 4),
        ("availability.back_in_stock", 4, 5),
    ]


def test_a_turn_that_was_overtaken_writes_nothing():
    shop = a_shop()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    from inventory.services import publishing

    slow = publishing._look(1_000, 0, NOON)
    services.take([want(position, 4)], at=NOON, actor=ANNA)
    publish(1)

    assert not publishing._finish(slow, at=NOON)
    assert kept(shop) == {position.sku_id: (6, 1)}


def test_a_figure_that_drifted_is_put_right_and_is_a_case_if_it_said_too_much():
    from config.kernel.models import CaseReport

    shop = a_shop()
    many, few = (stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account)) for _ in "ab")
    publish(0)
    figures = ChannelAvailability.objects.for_scope(ALL_ACCOUNTS)
    figures.filter(sku=many.sku).update(ats=12, seen_xid=2**62)
    figures.filter(sku=few.sku).update(ats=8)
    assert [found.code for found in check_all()] == ["availability.published"]

    assert publish(1) == Published()
    assert publish(2, compare=100).drifted == 2
    assert {units for units, _ in kept(shop).values()} == {10}
    [report] = CaseReport.objects.filter(kind="AVAILABILITY_DRIFT")
    assert report.evidence["kept"] == 12
    assert check_all() == []


def test_what_a_channel_was_told_is_kept_and_never_falls_back():
    shop = a_shop()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    publish(0)
    services.take([want(position, 1)], at=NOON, actor=ANNA)
    publish(1)

    for version in (2, 1, 7):
        services.mark_published(shop.channel.pk, {position.sku_id: version}, at=NOON, actor=ANNA)

    [figure] = selectors.kept_figures([position.sku_id], [shop.channel.pk])
    assert (figure.units, figure.version, figure.published_version) == (9, 2, 2)


def test_a_position_names_the_transaction_that_changed_it_and_stays_on_its_page():
    position = stock(10)
    before = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(pk=position.pk).changed_xid

    services.take([want(position, 1)], at=NOON, actor=ANNA)

    after = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(pk=position.pk).changed_xid
    assert after > before


def test_kept_figures_answer_while_nothing_has_changed_and_others_are_counted(
    django_assert_max_num_queries,
):
    shop = a_shop()
    still, moved = (
        stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account)) for _ in "ab"
    )
    publish(0)
    figures = ChannelAvailability.objects.for_scope(ALL_ACCOUNTS)
    figures.filter(sku=still.sku).update(ats=9)  # to be told apart
    services.take([want(moved, 4)], at=NOON, actor=ANNA)
    never = SkuFactory(account=shop.account)

    with selectors.one_moment():
        found = selectors.figures(shop.channel.pk, [still.sku_id, moved.sku_id, never.pk], at=NOON)
    with selectors.one_moment(), django_assert_max_num_queries(5):
        selectors.figures(shop.channel.pk, [still.sku_id], at=NOON)
    with unplaced({still.sku_id: 3}), selectors.one_moment():
        unplaced_now = selectors.figures(shop.channel.pk, [still.sku_id], at=NOON)

    assert found == {still.sku_id: 9, moved.sku_id: 6, never.pk: 0}
    assert unplaced_now == {still.sku_id: 7}
