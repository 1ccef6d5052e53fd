"""What holds for every sequence of moves, shipments and cancellations."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import ids
from config.kernel.errors import Conflict
from orders import billing, progress
from orders.models import Order
from orders.services.in_hand import GroupInHand, LineInHand
from orders.services.sheet import Sheet
from orders.states import BUCKETS, ORDERED_BUCKETS, SHIPPED_BUCKETS, PaymentState, Progress

AMOUNTS = st.integers(-1_000_000, 1_000_000)


def a_line(order_id: UUID, ordered: int, kind: str = "stock") -> LineInHand:
    counts = dict.fromkeys(BUCKETS, 0) | {"pending": ordered}
    return LineInHand(
        id=ids.uuid7(),
        order_id=order_id,
        group_id=ids.uuid7(),
        account_id=ids.uuid7(),
        position=0,
        kind=kind,
        parent_id=None,
        relation="",
        sku_id=1,
        external_sku="TEE",
        external_id="1",
        unit_weight_grams=1,
        total_minor=999,
        ordered=ordered,
        **counts,
    )


def a_sheet(*kept: LineInHand) -> Sheet:
    orders = {row.order_id: Order(id=row.order_id) for row in kept}
    groups: dict[UUID, GroupInHand] = {}
    sheet = Sheet(orders, {row.id: row for row in kept}, groups)
    for row in kept:
        sheet._lines_of.setdefault(row.order_id, []).append(row)
    return sheet


class TestLineQuantities:
    @given(
        st.integers(1, 20),
        st.lists(
            st.tuples(
                st.sampled_from([b for b in BUCKETS if b not in {"returned", "shipped"}]),
                st.sampled_from(BUCKETS),
                st.integers(0, 8),
            ),
            max_size=25,
        ),
    )
    def test_add_up_whatever_moves_and_never_fall_below_zero(
        self, ordered: int, moves: list[tuple[str, str, int]]
    ) -> None:
        kept = a_line(ids.uuid7(), ordered)
        sheet = a_sheet(kept)
        for source, target, quantity in moves:
            before = kept.quantities()
            try:
                sheet.move(kept.id, source, target, quantity)
            except Conflict:
                assert kept.quantities() == before

        assert kept.ordered == sum(getattr(kept, bucket) for bucket in ORDERED_BUCKETS)
        assert kept.shipped == sum(getattr(kept, bucket) for bucket in SHIPPED_BUCKETS)
        assert 0 <= kept.returned <= kept.ordered
        assert min(kept.quantities()) >= 0

    @given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
    def test_fold_to_cancelled_only_when_nothing_is_left(
        self, ordered: list[int], data: st.DataObject
    ) -> None:
        order_id = ids.uuid7()
        rows = [a_line(order_id, units) for units in ordered]
        sheet = a_sheet(*rows)
        for row in rows:
            gone = data.draw(st.integers(0, row.ordered))
            if gone:
                sheet.move(row.id, "pending", "cancelled", gone)

        everything = all(row.cancelled == row.ordered for row in rows)
        assert (progress.fold(rows) == Progress.CANCELLED) is everything


class TestFollowingMoves:
    @pytest.mark.parametrize(
        ("bucket", "expected"), [("cancelled", "cancelled"), ("shipped", "delivered")]
    )
    def test_take_services_where_the_goods_went(self, bucket: str, expected: str) -> None:
        order_id = ids.uuid7()
        goods, post = a_line(order_id, 2), a_line(order_id, 1, "service")
        sheet = a_sheet(goods, post)
        assert progress.following_moves([goods, post]) == []

        sheet.move(goods.id, "pending", bucket, 2)

        assert [move.target for move in progress.following_moves([goods, post])] == [expected]


@dataclass
class _Line:
    total: int
    ordered: int
    shipped: int = 0
    cancelled: int = 0

    @property
    def closed(self) -> int:
        return self.shipped + self.cancelled


class TestBill:
    @given(
        st.lists(st.tuples(AMOUNTS, st.integers(1, 6)), min_size=1, max_size=4),
        st.integers(-5_000, 5_000),
        st.randoms(use_true_random=False),
    )
    def test_charges_and_drops_exactly_the_total_in_any_order(
        self, lines: list[tuple[int, int]], order_part: int, random: object
    ) -> None:
        rows = [_Line(total, ordered) for total, ordered in lines]
        units = [row for row in rows for _ in range(row.ordered)]
        random.shuffle(units)  # type: ignore[attr-defined]
        charged = dropped = 0
        invoiced = False
        whole = sum(row.total for row in rows)
        for at, row in enumerate(units):
            ships = random.random() < 0.5  # type: ignore[attr-defined]
            made = billing.bill(
                [billing.Closing(row.total, row.ordered, row.closed, int(ships), int(not ships))],
                order_part_minor=order_part,
                lines_total_minor=whole,
                lines_closed_minor=sum(
                    billing.value_of(other.total, other.ordered, other.closed) for other in rows
                ),
                invoiced_before=invoiced,
                last=at == len(units) - 1,
            )
            row.shipped, row.cancelled = row.shipped + ships, row.cancelled + (not ships)
            invoiced = invoiced or ships
            charged += made.charged_minor
            dropped += made.dropped_minor

        assert charged + dropped == whole + order_part

    @given(
        st.lists(st.tuples(AMOUNTS, st.integers(1, 5)), min_size=1, max_size=4),
        st.integers(-5_000, 5_000),
        st.lists(st.tuples(st.sampled_from(["ship", "cancel", "reverse"]), st.integers(0, 3))),
    )
    def test_credits_what_is_taken_back_so_that_all_still_adds_up(
        self, lines: list[tuple[int, int]], order_part: int, steps: list[tuple[str, int]]
    ) -> None:
        rows = [_Line(total, ordered) for total, ordered in lines]
        whole = sum(row.total for row in rows)
        balance = 0
        finish = [("ship", at) for at, row in enumerate(rows) for _ in range(row.ordered)]
        for what, at in [*steps, *finish]:
            row = rows[at % len(rows)]
            value = sum(billing.value_of(one.total, one.ordered, one.closed) for one in rows)
            if what == "reverse":
                if not row.shipped:
                    continue
                was_last = all(one.closed == one.ordered for one in rows)
                taken = billing.Closing(row.total, row.ordered, row.closed, shipping=1)
                row.shipped -= 1
                balance -= billing.credit(
                    [taken],
                    order_part_minor=order_part,
                    lines_total_minor=whole,
                    lines_closed_minor=value,
                    was_last=was_last,
                    still_invoiced=any(one.shipped for one in rows),
                )
                continue
            if row.closed == row.ordered:
                continue
            ships = what == "ship"
            invoiced = any(one.shipped for one in rows)
            closing = billing.Closing(
                row.total, row.ordered, row.closed, int(ships), int(not ships)
            )
            row.shipped, row.cancelled = row.shipped + ships, row.cancelled + (not ships)
            made = billing.bill(
                [closing],
                order_part_minor=order_part,
                lines_total_minor=whole,
                lines_closed_minor=value,
                invoiced_before=invoiced,
                last=all(one.closed == one.ordered for one in rows),
            )
            balance += made.charged_minor + made.dropped_minor

        assert balance == whole + order_part

    @given(st.integers(0, 10_000), st.lists(st.integers(0, 4_000), max_size=5))
    def test_takes_from_tenders_in_their_order_and_never_more_than_each_has(
        self, amount: int, rooms: list[int]
    ) -> None:
        shares = billing.across_tenders(amount, rooms)

        assert sum(shares) == min(amount, sum(rooms))
        assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))


class TestFoldPayment:
    @pytest.mark.parametrize(
        ("tender", "expected"),
        [
            (progress.TenderStanding("channel", 1000, 1000), PaymentState.ELSEWHERE),
            (progress.TenderStanding("us", 1000), PaymentState.PENDING),
            (progress.TenderStanding("us", 1000, 0, 1000), PaymentState.AUTHORIZED),
            (progress.TenderStanding("us", 1000, 400, 1000), PaymentState.PARTLY_CAPTURED),
            (progress.TenderStanding("us", 1000, 1000), PaymentState.CAPTURED),
            (progress.TenderStanding("us", 1000, failed=True), PaymentState.FAILED),
        ],
    )
    def test_says_where_the_money_is(
        self, tender: progress.TenderStanding, expected: PaymentState
    ) -> None:
        assert progress.fold_payment(1000, [tender]) == expected
