"""Feeds: what they declare, their changes in any order, their silence, and what people decide."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel import ids
from config.kernel.errors import Conflict, IllegalTransition, Invalid
from config.kernel.fsm import transitions_of
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import CountRequest, Difference, Feed, Movement, SnapshotDocument
from inventory.services.bulk_changes import apply_in_bulk
from inventory.services.changes import apply_changes
from inventory.services.deltas import missing_after
from inventory.snapshot_files import read_rows
from inventory.states import DifferenceState, FeedState, SnapshotState
from inventory.types import Decision, FeedDelta, FeedTerms, SnapshotDraft, SnapshotRow, StockChange
from tests.books import check_all
from tests.factories.inventory import ANNA, SkuFactory, reread, stock
from tests.factories.kernel import NOON
from tests.factories.shelves import furnish, written
from tests.factories.shelves import shelf as shelf_of

pytestmark = pytest.mark.django_db

MORNING = NOON - timedelta(hours=3)
EARLY = NOON - timedelta(days=20)
HOUR = timedelta(hours=1)


def declare(position, source="wms", *, at=NOON, **terms):
    wanted = FeedTerms(position.node_id, source, position.account_id, **terms)
    services.declare_feeds([wanted], at=at, actor=ANNA)
    return feed_of(position, source)


def feed_of(position, source="wms"):
    return Feed.objects.for_scope(ALL_ACCOUNTS).get(node_id=position.node_id, source=source)


def tell(position, *deltas, at=NOON):
    """Deltas as (sequence, units) or (sequence, units, happened at)."""
    told = [
        FeedDelta(
            StockChange(
                position.node_id,
                position.sku_id,
                position.account_id,
                units,
                "adjust",
                happened_at=rest[0] if rest else None,
            ),
            number,
        )
        for number, units, *rest in deltas
    ]
    return services.apply_deltas(position.node_id, "wms", told, at=at, actor=ANNA)


def topics(*wanted):
    return list(
        Event.objects.for_scope(ALL_ACCOUNTS)
        .filter(topic__in=wanted)
        .order_by("id")
        .values_list("topic", flat=True)
    )


class TestTerms:
    def test_are_kept_with_their_history(self):
        position = stock(1, at=EARLY)
        declare(position, heal_units=2)
        feed = declare(position, heal_units=3)

        assert feed.heal_units == 3
        assert list(feed.history.order_by("history_id").values_list("heal_units", flat=True)) == [
            None,
            2,
            3,
        ]

    @pytest.mark.parametrize(
        "terms",
        [
            {"semantics": "rumour"},
            {"ordering": "stars"},
            {"degrade": "haircut", "silent_after": HOUR},
            {"degrade": "stop"},
            {"silent_after": HOUR, "expected_every": 2 * HOUR},
        ],
    )
    def test_that_contradict_are_refused(self, terms):
        with pytest.raises(Invalid):
            declare(stock(1, at=EARLY), **terms)


class TestDeltas:
    def test_come_out_right_late_doubled_and_out_of_order(self):
        position = stock(10, at=EARLY)
        declare(position, ordering="sequence")

        kinds = [one.kind for one in tell(position, (1, -1), (3, -4), (3, -4))]
        again = [one.kind for one in tell(position, (2, 5), (1, -1))]

        assert kinds == ["done", "done", "repeated"]
        assert again == ["done", "repeated"]
        assert reread(position.pk).sellable == 10
        assert feed_of(position).sequence == 3

    def test_that_are_missing_are_a_case_and_a_snapshot_is_asked_for(self):
        position = stock(10, at=EARLY)
        declare(position, ordering="sequence")

        tell(position, (1, -1))
        tell(position, (4, -1))

        feed = feed_of(position)
        assert (feed.missing, feed.gap_since) == ([[2, 3]], NOON)
        assert selectors.feeds_to_ask(NOON) == [(position.node_id, "wms", position.account_id)]
        assert CaseReport.objects.get(kind="FEED_GAP").evidence["missing"] == [[2, 3]]
        tell(position, (3, 1), (2, 1))
        assert (feed_of(position).missing, feed_of(position).gap_since) == ([], None)
        assert topics("feed.gap_opened") == ["feed.gap_opened"]

    def test_that_the_last_snapshot_has_in_it_change_nothing(self):
        position = stock(10, at=EARLY)
        declare(position, ordering="sequence")
        tell(position, (1, -1), (4, -1), at=MORNING)
        rows = [SnapshotRow(position.sku_id, 5)]
        services.apply_snapshot(position.node_id, "wms", MORNING, rows, at=NOON, actor=ANNA)

        outcomes = tell(position, (2, -1), (3, -1), (5, -1))
        tell(position, (6, -2, MORNING - HOUR))

        assert [one.kind for one in outcomes] == ["done"] * 3
        assert reread(position.pk).sellable == 4
        assert check_all(about="stock.") == []

    def test_are_refused_of_another_place_without_numbers_or_from_a_feed_of_snapshots(self):
        position, other = stock(1, at=EARLY), stock(1, at=EARLY)
        declare(position, ordering="sequence")
        with pytest.raises(Invalid):
            tell(position, (None, 1))
        change = StockChange(other.node_id, other.sku_id, other.account_id, 1, "adjust")
        with pytest.raises(Invalid):
            services.apply_deltas(
                position.node_id, "wms", [FeedDelta(change, 1)], at=NOON, actor=ANNA
            )
        declare(position, semantics="snapshot")
        with pytest.raises(Conflict):
            tell(position, (1, 1))

    @given(
        numbers=st.lists(st.integers(1, 12), max_size=14),
        cuts=st.lists(st.integers(0, 14), max_size=3),
    )
    @settings(max_examples=60)
    def test_missing_numbers_are_those_below_the_highest_that_have_not_come(self, numbers, cuts):
        highest, gaps, before = None, [], 0
        for cut in [*sorted(cuts), len(numbers)]:
            highest, gaps = missing_after(highest, gaps, numbers[before : max(before, cut)])
            before = max(before, cut)

        first = missing_after(None, [], numbers[: next(iter(sorted(cuts)), 0)])[0]
        missing = {n for low, high in gaps for n in range(low, high + 1)}
        assert highest == max(numbers, default=None)
        assert missing.isdisjoint(numbers)
        assert first is None or all(n <= highest for n in missing)


CHANGE = st.fixed_dictionaries(
    {
        "shelf": st.integers(0, 4),
        "units": st.integers(-6, 6).filter(bool),
        "condition": st.sampled_from(["available", "available", "damaged"]),
        "lot": st.sampled_from(["", "", "L"]),
        "early": st.booleans(),
    }
)


@settings(max_examples=12, deadline=None)
@given(
    shelves=st.lists(shelf_of(), min_size=5, max_size=5),
    drawn=st.lists(CHANGE, min_size=1, max_size=10),
)
def test_changes_in_bulk_and_by_the_book_leave_the_same(shelves, drawn):
    worlds = [furnish(shelves), furnish(shelves)]
    for (node, skus, _), apply in zip(worlds, (apply_changes, apply_in_bulk), strict=True):
        account_id = skus[0].account_id
        rows = [SnapshotRow(skus[0].pk, shelves[0]["on_hand"] + shelves[0]["lot"])]
        services.apply_snapshot(node.pk, "wms", MORNING, rows, at=NOON, actor=ANNA)
        changes = [
            StockChange(
                node.pk,
                skus[each["shelf"]].pk,
                account_id,
                each["units"],
                "adjust",
                each["condition"],
                each["lot"],
                happened_at=MORNING - HOUR if each["early"] else None,
            )
            for each in drawn
        ]
        apply(changes, at=NOON, actor=ANNA)

    by_book, by_bulk = (written(node, skus) for node, skus, _ in worlds)
    assert by_book == by_bulk
    assert check_all(about="stock.") == []


class TestSilence:
    def watch(self, at):
        return services.watch_feeds(50, at=at, actor=ANNA)

    def test_makes_a_feed_late_then_silent_and_speaking_makes_it_fresh(self):
        position = stock(10, at=EARLY)
        declare(position, expected_every=HOUR, silent_after=2 * HOUR)

        assert self.watch(NOON + timedelta(minutes=59)) == 0
        self.watch(NOON + HOUR)
        assert feed_of(position).state == "late"
        self.watch(NOON + 2 * HOUR)
        assert feed_of(position).state == "silent"
        tell(position, (None, 1), at=NOON + 3 * HOUR)

        assert feed_of(position).state == "fresh"
        assert topics("feed.delayed", "feed.silenced", "feed.restored") == [
            "feed.delayed",
            "feed.silenced",
            "feed.restored",
        ]
        assert CaseReport.objects.get(kind="FEED_SILENT").evidence["effect"] == "none"
        assert check_all(about="history.feed") == []

    @pytest.mark.parametrize(
        ("terms", "buffer"),
        [({"degrade": "haircut", "haircut_percent": 30}, 3), ({"degrade": "stop"}, 10)],
    )
    def test_holds_back_what_the_feed_says_and_gives_it_back(self, terms, buffer):
        position = stock(10, at=EARLY)
        declare(position, silent_after=HOUR, **terms)

        self.watch(NOON + HOUR)
        held = reread(position.pk)
        (view,) = selectors.feed_state([position.node_id], NOON + HOUR).values()
        tell(position, (None, 1), at=NOON + 2 * HOUR)
        self.watch(NOON + 2 * HOUR)

        assert min(held.buffer, held.sellable) == buffer
        assert (view.state, view.effect) == ("silent", terms["degrade"])
        assert reread(position.pk).buffer == 0
        assert self.watch(NOON + 2 * HOUR) == 0

    def test_holds_back_nothing_of_another_account_at_the_same_node(self):
        position = stock(10, at=EARLY)
        other = stock(10, node=position.node, sku=SkuFactory(), at=EARLY)
        declare(position, silent_after=HOUR, degrade="stop")

        self.watch(NOON + HOUR)

        assert (reread(position.pk).buffer > 0, reread(other.pk).buffer) == (True, 0)
        assert check_all(about="stock.buffer") == []

    def test_may_forbid_same_day_promises_alone(self):
        position = stock(10, at=EARLY)
        declare(position, silent_after=HOUR, degrade="no_same_day")

        self.watch(NOON + HOUR)

        assert selectors.nodes_without_same_day(position.account_id) == {position.node_id}
        assert not selectors.nodes_without_same_day(ids.uuid7())
        assert reread(position.pk).buffer == 0


class TestDecisions:
    def differing(self, theirs=4):
        position = stock(10, at=EARLY)
        declare(position, heal_units=0)
        draft = SnapshotDraft(position.node_id, position.account_id, "wms", MORNING)
        document_id = services.open_snapshot(draft, at=NOON, actor=ANNA)
        rows = read_rows([{"sku": position.sku.code, "quantity": theirs}], first=1)
        services.add_part(document_id, 1, rows, at=NOON, actor=ANNA)
        services.close_snapshot(document_id, services.Totals(), at=NOON, actor=ANNA)
        services.apply_range(document_id, at=NOON, actor=ANNA)
        return position, Difference.objects.for_scope(ALL_ACCOUNTS).get()

    def test_for_theirs_bring_the_book_to_it_with_what_moved_since(self):
        position, line = self.differing()
        tell(position, (None, -1))

        (outcome,) = services.accept_theirs([Decision(line.pk)], at=NOON, actor=ANNA)
        (again,) = services.accept_theirs([Decision(line.pk)], at=NOON, actor=ANNA)

        assert outcome.value == -6
        assert again.problem.code == "illegal-transition"
        assert reread(position.pk).sellable == 3
        line.refresh_from_db()
        assert (line.state, line.decided_by) == ("accepted", "anna")
        assert Movement.objects.for_scope(ALL_ACCOUNTS).get(pk=line.movement_id).quantity == -6
        assert topics("difference.decided") == ["difference.decided"]
        assert check_all(about="stock.") == []

    def test_for_ours_ask_for_a_count(self):
        position, line = self.differing()

        services.keep_ours([Decision(line.pk)], at=NOON, actor=ANNA)

        line.refresh_from_db()
        assert line.state == "kept"
        assert CountRequest.objects.for_scope(ALL_ACCOUNTS).get().sku_id == position.sku_id
        assert reread(position.pk).sellable == 10

    def test_may_name_a_movement_of_the_same_stock_or_a_reason(self):
        position, line = self.differing()
        mine = Movement.objects.for_scope(ALL_ACCOUNTS).filter(position_id=position.pk).first()
        stock(3, at=EARLY)
        strange = Movement.objects.for_scope(ALL_ACCOUNTS).order_by("-id").first()

        def explain(**given):
            decision = Decision(line.pk, **given)
            (outcome,) = services.explain_differences([decision], at=NOON, actor=ANNA)
            return outcome.problem and outcome.problem.code

        assert explain() == "no-reason"
        assert explain(movement_id=strange.pk) == "unknown-movement"
        assert explain(movement_id=mine.pk) is None

    def test_come_too_late_after_a_count(self):
        position, line = self.differing()
        rows = [SnapshotRow(position.sku_id, 9)]
        services.apply_snapshot(position.node_id, "erp", NOON, rows, at=NOON, actor=ANNA)

        (outcome,) = services.accept_theirs([Decision(line.pk)], at=NOON, actor=ANNA)

        assert outcome.problem.code in {"stale", "illegal-transition"}


STATES = {Feed: FeedState, SnapshotDocument: SnapshotState, Difference: DifferenceState}
ALLOWED = {
    Feed: {
        "fall_late": {"fresh": "late"},
        "fall_silent": {"fresh": "silent", "late": "silent"},
        "speak": {"late": "fresh", "silent": "fresh"},
    },
    SnapshotDocument: {
        "accept": {"open": "accepted"},
        "refuse": {"open": "refused"},
        "withdraw": {"open": "withdrawn"},
        "finish": {"accepted": "applied"},
    },
    Difference: {
        "accept_theirs": {"open": "accepted"},
        "keep_ours": {"open": "kept"},
        "explain": {"open": "explained"},
        "supersede": {"open": "superseded"},
    },
}
ARGUMENTS = {
    "accept_theirs": {"movement_id": None, "by": "anna"},
    "keep_ours": {"by": "anna"},
    "explain": {"movement_id": None, "note": "known", "by": "anna"},
}


@pytest.mark.parametrize(
    ("model", "state", "name"),
    [
        (model, state.value, name)
        for model, moves in ALLOWED.items()
        for state, name in product(STATES[model], moves)
    ],
)
def test_a_transition_moves_from_its_sources_only(model, state, name):
    row, target = model(state=state), ALLOWED[model][name].get(state)
    arguments = ARGUMENTS.get(name, {}) | {"at": NOON}

    if target is None:
        with pytest.raises(IllegalTransition):
            getattr(row, name)(**arguments)
    else:
        getattr(row, name)(**arguments)
        assert row.state == target


@pytest.mark.parametrize("model", ALLOWED)
def test_every_transition_is_told_of_above(model):
    assert {name for name, _, _ in transitions_of(model)} == set(ALLOWED[model])
