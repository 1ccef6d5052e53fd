"""The demo's retailer and its shoppers: the same every time, and believable."""

from collections import Counter
from datetime import timedelta
from itertools import islice

import phonenumbers
import pytest

from config.demo import catalog
from config.demo.catalog import SkuPlan
from config.demo.drafts import order_draft, twin
from config.demo.retailer import BRANDS, CHANNELS, NODES
from config.demo.shoppers import (
    BLACK_FRIDAY,
    HOLIDAY,
    NOW,
    OPENING,
    Basket,
    Shoppers,
    midnight,
    orders_expected,
)
from config.kernel import ids


def fortnight(seed: int = 7) -> list[Basket]:
    return list(Shoppers(seed).between(OPENING, NOW))


@pytest.fixture(scope="module")
def baskets() -> list[Basket]:
    return fortnight()


@pytest.fixture(scope="module")
def skus() -> list[SkuPlan]:
    return catalog.catalog()


class TestRetailer:
    def test_has_two_brands_five_channels_and_twelve_nodes(self):
        assert (len(BRANDS), len(CHANNELS), len(NODES)) == (2, 5, 12)
        assert {node.kind for node in NODES} == {"dc", "store", "threepl", "supplier"}
        assert sum(channel.share for channel in CHANNELS) == 100


class TestCatalog:
    def test_has_six_hundred_skus_with_codes_of_their_own(self, skus: list[SkuPlan]):
        assert len(skus) == 600
        assert len({sku.code for sku in skus}) == 600

    def test_has_kits_of_known_goods_and_a_gift(self, skus: list[SkuPlan]):
        kinds = Counter(sku.kind for sku in skus)
        known = {sku.code for sku in skus if sku.kind == "stock"}

        assert kinds["kit"] == 16
        assert {code for sku in skus for code, _ in sku.components} <= known
        assert {catalog.GIFT, catalog.WRAP, catalog.GIFT_CARD} <= {sku.code for sku in skus}
        assert (kinds["service"], kinds["gift_card"]) == (1, 1)

    def test_gives_every_good_a_weight_a_box_and_a_keeper(self, skus: list[SkuPlan]):
        goods = [sku for sku in skus if sku.kind == "stock"]

        assert all(sku.weight_grams and all(sku.box_mm) and sku.carried_by for sku in goods)


class TestShoppers:
    def test_come_the_same_for_the_same_seed(self, baskets: list[Basket]):
        assert fortnight() == baskets
        assert fortnight(seed=8) != baskets

    def test_come_in_order_within_the_time_asked_for(self, baskets: list[Basket]):
        times = [basket.placed_at for basket in baskets]

        assert times == sorted(times)
        assert OPENING <= times[0] <= times[-1] < NOW

    def test_come_in_turns_as_they_would_at_once(self):
        first = OPENING + timedelta(hours=5)
        shoppers = Shoppers(3)

        in_turns = [
            *shoppers.between(OPENING, first),
            *shoppers.between(first, first + timedelta(hours=5)),
        ]

        assert in_turns == list(Shoppers(3).between(OPENING, first + timedelta(hours=5)))

    def test_are_many_and_most_on_the_peak(self, baskets: list[Basket]):
        by_day = Counter(
            basket.placed_at.astimezone(midnight(HOLIDAY).tzinfo).date() for basket in baskets
        )

        assert len(baskets) >= 1_500
        assert by_day.most_common(1)[0][0] == BLACK_FRIDAY
        assert orders_expected(HOLIDAY) < orders_expected(BLACK_FRIDAY) / 4

    def test_use_every_channel_and_both_ways_to_get_goods(self, baskets: list[Basket]):
        assert {basket.channel.code for basket in baskets} == {plan.code for plan in CHANNELS}
        assert any(basket.pickup_node for basket in baskets)
        assert any(basket.till_node for basket in baskets)
        assert any(basket.sold_by_channel for basket in baskets)

    def test_number_their_baskets_once(self, baskets: list[Basket]):
        assert len({basket.number for basket in baskets}) == len(baskets)

    def test_sometimes_send_something_wrong(self, baskets: list[Basket]):
        flaws = Counter(basket.flaw for basket in baskets)

        assert flaws.keys() == {"", "address", "fraud", "sku", "total", "duplicate", "unpaid"}
        assert 0.9 < flaws[""] / len(baskets) < 0.97

    def test_leave_numbers_that_can_be_called(self, baskets: list[Basket]):
        numbers = [phonenumbers.parse(basket.buyer.phone) for basket in islice(baskets, 200)]

        assert all(phonenumbers.is_possible_number(number) for number in numbers)


class TestOrderDraft:
    def draft(self, basket: Basket):
        return order_draft(
            basket, account_id=ids.uuid7(), channel_id=ids.uuid7(), brand_id=ids.uuid7()
        )

    def test_adds_up_unless_that_is_its_flaw(self, baskets: list[Basket]):
        for basket in baskets[:300]:
            draft = self.draft(basket)
            lines = [line for group in draft.groups for line in group.lines]
            total = sum(line.total_minor for line in lines) + draft.totals.shipping_minor

            assert (draft.totals.total_minor == total) is (basket.flaw != "total")

    def test_carries_its_flaw(self, baskets: list[Basket]):
        by_flaw = {basket.flaw: self.draft(basket) for basket in baskets}

        assert by_flaw["unpaid"].tenders == ()
        assert by_flaw["address"].groups[0].address.line1 == ""
        assert by_flaw["sku"].groups[0].lines[0].sku_code.endswith("-2027")

    def test_has_a_twin_under_another_number(self, baskets: list[Basket]):
        draft = self.draft(baskets[0])

        again = twin(draft)

        assert again.external_id != draft.external_id
        assert again.groups == draft.groups
        assert again.placed_at > draft.placed_at
