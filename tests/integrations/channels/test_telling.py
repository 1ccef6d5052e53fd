"""What a parcel is to a shop: units of its own lines, each kit once, whatever its parts travel in."""

from uuid import UUID

from fulfillment.types import ParcelAtHand
from integrations.channels.telling import in_this_parcel
from orders.selectors import LineStanding

ORDER, ACCOUNT = UUID(int=1), UUID(int=2)
KIT, MUGS, BOWLS, CANDLE = (UUID(int=number) for number in range(10, 14))


def a_line(id_: UUID, external_id: str, ordered: int, parent: UUID | None = None) -> LineStanding:
    kind = "kit" if id_ == KIT else "stock"
    return LineStanding(
        ORDER, id_, external_id, external_id, kind, parent, ordered, 0, ordered, 0, 0, ours=True
    )


LINES = (
    a_line(KIT, "kit", 2),
    a_line(MUGS, "", 4, KIT),
    a_line(BOWLS, "", 4, KIT),
    a_line(CANDLE, "candle", 3),
)


def a_parcel(number: int, units: dict[UUID, int]) -> ParcelAtHand:
    return ParcelAtHand(
        UUID(int=100 + number), f"P{number}", "handed_over", ACCOUNT, ORDER, 1, "", "",
        tuple(units.items()),
    )  # fmt: skip


def test_a_kit_leaves_with_the_first_of_its_parts_and_only_then():
    first = a_parcel(1, {MUGS: 2, BOWLS: 1})
    second = a_parcel(2, {MUGS: 2, CANDLE: 2})
    third = a_parcel(3, {BOWLS: 3, CANDLE: 1})
    sent = (first, second, third)

    told = [in_this_parcel(parcel, sent, LINES) for parcel in sent]

    assert told == [{"kit": 1}, {"kit": 1, "candle": 2}, {"candle": 1}]


def test_a_kit_in_one_box_is_told_whole():
    whole = a_parcel(1, {MUGS: 4, BOWLS: 4})

    assert in_this_parcel(whole, (whole,), LINES) == {"kit": 2}
