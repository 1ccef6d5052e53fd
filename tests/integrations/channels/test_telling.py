"""What parcels and cancels are to a shop: units of its own lines, each kit once, whatever of its parts."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from fulfillment.types import ParcelAtHand
from integrations.channels import part_kits
from integrations.channels.telling import in_this_cancel, in_this_parcel
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


def taken_off(*cancels: dict[UUID, int]) -> list[dict[str, int]]:
    events = [(UUID(int=200 + n), units) for n, units in enumerate(cancels)]
    return [in_this_cancel(known, units, events, LINES) for known, units in events]


def test_a_kit_is_taken_off_with_the_last_of_its_parts_and_only_then():
    told = taken_off({MUGS: 2, CANDLE: 1}, {BOWLS: 1}, {BOWLS: 3, CANDLE: 2}, {MUGS: 2})

    assert told == [{"candle": 1}, {}, {"kit": 1, "candle": 2}, {"kit": 1}]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from((MUGS, BOWLS, CANDLE)), st.integers(1, 4)))
)
def test_what_is_sent_and_taken_off_never_comes_to_more_than_was_ordered(
    steps: list[tuple[bool, UUID, int]],
) -> None:
    left = {MUGS: 4, BOWLS: 4, CANDLE: 3}
    sent: list[ParcelAtHand] = []
    cancels: list[dict[UUID, int]] = []
    for leaves, line, wanted in steps:
        units = min(wanted, left[line])
        left[line] -= units
        if units and leaves:
            sent.append(a_parcel(len(sent), {line: units}))
        elif units:
            cancels.append({line: units})

    told = [in_this_parcel(parcel, sent, LINES) for parcel in sent] + taken_off(*cancels)

    total = {name: sum(one.get(name, 0) for one in told) for name in ("kit", "candle")}
    assert total["candle"] == 3 - left[CANDLE]
    assert total["kit"] <= 2
    if not left[MUGS] and not left[BOWLS]:
        assert total["kit"] == 2


def standing(**moved: tuple[int, int]) -> list[LineStanding]:
    """The lines after so many (shipped, cancelled) units of parts."""
    names = {"mugs": MUGS, "bowls": BOWLS}
    units = {names[name]: counts for name, counts in moved.items()}
    moves = [units.get(line.line_id, (0, 0)) for line in LINES]
    return [
        replace(line, shipped=shipped, cancelled=cancelled)
        for line, (shipped, cancelled) in zip(LINES, moves, strict=True)
    ]


def due(worth: dict[UUID, tuple[int, int]], **moved: tuple[int, int]) -> dict[str, int]:
    return dict(part_kits.due(standing(**moved), worth).kits)


class TestPartsThatNeverLeave:
    """Two kits of two mugs and two bowls each; a bowl is worth 300."""

    def test_are_owed_once_their_kit_has_begun_to_leave(self):
        off = {BOWLS: (2, 600)}

        assert due(off, bowls=(0, 2)) == {}
        assert due(off, mugs=(1, 0), bowls=(0, 2)) == {}
        assert due(off, mugs=(3, 0), bowls=(0, 2)) == {"kit": 600}
        assert due({BOWLS: (4, 1201)}, mugs=(4, 0), bowls=(0, 4)) == {"kit": 1201}

    def test_are_not_owed_beside_a_kit_that_is_taken_off_whole(self):
        off = {MUGS: (2, 500), BOWLS: (3, 900)}

        assert due(off, mugs=(2, 2), bowls=(1, 3)) == {"kit": 300}

    def test_are_not_owed_where_the_channel_took_them_off_itself(self):
        assert due({}, mugs=(4, 0), bowls=(0, 4)) == {}

    def test_are_told_only_as_far_as_they_were_not_told_before(self):
        found = part_kits.due(standing(mugs=(4, 0), bowls=(0, 4)), {BOWLS: (4, 1200)})

        assert found.beyond({}) == {"kit": 1200}
        assert found.beyond({"kit": 300}) == {"kit": 900}
        assert found.beyond({"kit": 1200}) == {}
