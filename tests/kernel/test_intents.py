"""Intents: asked outside any transaction, answered once, reconciled when in doubt."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from config.kernel import ids
from config.kernel.models import CaseReport, Intent, IntentState
from config.kernel.services import intent_leases, intents, owned_intents
from config.kernel.services.intents import Answer, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.factories.kernel import AccountFactory, IntentFactory

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")
KIND = "test.intent"


class Outside:
    """The other side: answers as told, remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer | Exception] = []
        self.known: Answer | None = None
        self.calls: list[str] = []
        self.asked: list[str] = []
        self.followed: list[tuple[str, dict[str, Any]]] = []
        self.follow: Callable[[], None] = lambda: None

    def perform(self, intent: LeasedIntent) -> Answer:
        assert not connection.in_atomic_block
        self.calls.append(intent.key)
        answer = self.answers.pop(0) if self.answers else Answer.done(reference="r-1")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def find(self, intent: LeasedIntent) -> Answer | None:
        assert not connection.in_atomic_block
        self.asked.append(intent.key)
        return self.known

    def on_answer(
        self, intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor
    ) -> None:
        assert connection.in_atomic_block
        assert actor.name == f"intent:{intent.kind}"
        self.follow()
        self.followed.append((answer.kind, dict(answer.data)))


@pytest.fixture
def outside() -> Iterator[Outside]:
    other = Outside()
    intents.register(KIND, other.perform, on_answer=other.on_answer, find=other.find)
    yield other
    del intents._kinds[KIND]


def make_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_intent SET due_at = clock_timestamp()")


def run() -> int:
    make_due()
    return intents.run_due(at=NOON)


@pytest.mark.django_db
class TestAdd:
    def test_writes_each_kind_and_key_once(self) -> None:
        account = AccountFactory()
        wanted = [
            NewIntent(KIND, key, "order", ids.uuid7(), account.pk, {"minor": 5})
            for key in ("a", "b")
        ]

        assert len(intents.add(wanted, at=NOON, actor=ACTOR)) == 2
        assert intents.add(wanted[:1], at=NOON, actor=ACTOR) == []
        row = Intent.objects.for_scope(ALL_ACCOUNTS).get(key="a")
        assert (row.state, row.payload, row.at) == ("pending", {"minor": 5}, NOON)


@pytest.mark.django_db(transaction=True)
class TestRunDue:
    def test_refuses_inside_a_transaction(self) -> None:
        with pytest.raises(RuntimeError, match="never called inside"), transaction.atomic():
            intents.run_due(at=NOON)

    def test_records_the_answer_with_what_follows_from_it(self, outside: Outside) -> None:
        intent = IntentFactory()

        assert run() == 1
        intent.refresh_from_db()
        assert (intent.state, intent.answer) == (IntentState.DONE, {"reference": "r-1"})
        assert outside.followed == [("done", {"reference": "r-1"})]
        assert run() == 0

    def test_records_a_refusal(self, outside: Outside) -> None:
        outside.answers = [Answer.refused("card expired", code="expired")]
        intent = IntentFactory()
        run()

        intent.refresh_from_db()
        assert (intent.state, intent.last_error) == (IntentState.REFUSED, "card expired")
        assert outside.followed == [("refused", {"code": "expired"})]

    def test_asks_again_later_when_it_may(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503"), Answer.retry("503")]
        intent = IntentFactory()
        run()

        intent.refresh_from_db()
        assert intent.state == IntentState.PENDING
        assert intents.run_due(at=NOON) == 0  # it backs off
        run()
        run()
        intent.refresh_from_db()
        assert (intent.state, intent.attempts) == (IntentState.DONE, 3)
        assert outside.asked == []  # nothing was in doubt

    def test_looks_for_the_effect_before_it_calls_again_when_in_doubt(
        self, outside: Outside
    ) -> None:
        outside.answers = [TimeoutError("read timed out")]
        outside.known = Answer.done(reference="r-0")
        intent = IntentFactory()
        run()
        intent.refresh_from_db()
        assert intent.state == IntentState.UNKNOWN

        run()
        intent.refresh_from_db()
        assert (intent.state, intent.answer) == (IntentState.DONE, {"reference": "r-0"})
        assert len(outside.calls) == len(outside.asked) == 1

    def test_calls_again_when_the_other_side_never_had_it(self, outside: Outside) -> None:
        outside.answers = [Answer.unknown("timeout")]
        IntentFactory()
        run()
        run()

        assert len(outside.asked) == 1
        assert len(outside.calls) == 2
        assert outside.followed == [("done", {"reference": "r-1"})]

    def test_looks_for_the_effect_of_a_worker_that_died(self, outside: Outside) -> None:
        outside.known = Answer.done(reference="r-0")
        IntentFactory(state=IntentState.RUNNING, attempts=1)
        run()

        assert outside.calls == []
        assert outside.followed == [("done", {"reference": "r-0"})]

    def test_does_not_lose_an_answer_that_could_not_be_recorded(self, outside: Outside) -> None:
        def fail() -> None:
            raise RuntimeError("our own fault")

        outside.follow = fail
        outside.known = Answer.done(reference="r-1")
        intent = IntentFactory()
        run()
        intent.refresh_from_db()
        assert (intent.state, intent.last_error) == (
            IntentState.UNKNOWN,
            "RuntimeError: our own fault",
        )

        outside.follow = lambda: None
        run()
        intent.refresh_from_db()
        assert intent.state == IntentState.DONE
        assert len(outside.calls) == 1

    def test_gives_up_after_75_hours_with_a_case(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503"), Answer.retry("503")]
        intent = IntentFactory()
        run()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_intent SET first_tried_at = clock_timestamp() - interval '75 hours'"
            )
        run()

        intent.refresh_from_db()
        assert intent.state == IntentState.DEAD
        assert outside.followed == [("refused", {"given_up": True})]
        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("DEAD_INTENT", intent.pk)
        assert run() == 0

    def test_gives_up_what_may_have_happened_as_unknown(self, outside: Outside) -> None:
        outside.answers = [Answer.unknown("no answer"), Answer.unknown("no answer")]
        IntentFactory()
        run()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_intent SET first_tried_at = clock_timestamp() - interval '75 hours'"
            )
        run()

        assert outside.followed == [("unknown", {"given_up": True})]

    def test_lets_an_overtaken_worker_record_nothing(self, outside: Outside) -> None:
        IntentFactory()
        make_due()
        (slow,) = intent_leases.lease([KIND], 5)
        run()
        intents.settle(slow, Answer.refused("too late"), at=NOON)

        assert [kind for kind, _ in outside.followed] == ["done"]

    def test_leaves_kinds_of_a_newer_release_alone(self, outside: Outside) -> None:
        IntentFactory(kind="test.newer")

        assert run() == 0


def queued(*queues: str) -> list[Intent]:
    """An intent per name, in this order, each in the queue of its name."""
    account = AccountFactory()
    with transaction.atomic():
        intents.add(
            [
                NewIntent(KIND, f"{queue}-{n}", "order", ids.uuid7(), account.pk, queue=queue)
                for n, queue in enumerate(queues)
            ],
            at=NOON,
            actor=ACTOR,
        )
    return list(Intent.objects.for_scope(ALL_ACCOUNTS).order_by("pk"))


def run_all() -> None:
    while intents.run_due(at=NOON):
        pass


def _versions() -> dict[Any, str]:
    """The row version of each intent: another one was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM kernel_intent")
        return dict(cursor.fetchall())


def _settle_elsewhere(intent: LeasedIntent) -> None:
    """As another worker, on a connection of its own."""
    try:
        intents.settle(intent, Answer.done(), at=NOON)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
class TestQueues:
    def test_are_carried_out_one_after_another(self, outside: Outside) -> None:
        queued("a", "a", "b", "a")

        assert intents.run_due(at=NOON) == 2  # the first of each
        run_all()

        assert [key for key in outside.calls if key[0] == "a"] == ["a-0", "a-1", "a-3"]

    def test_wait_while_their_first_backs_off_and_others_go_on(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503", after_seconds=600)]
        queued("a", "a", "b", "b")
        run_all()

        assert outside.calls == ["a-0", "b-2", "b-3"]
        make_due()
        run_all()
        assert outside.calls == ["a-0", "b-2", "b-3", "a-0", "a-1"]

    def test_let_those_that_come_later_wait_along(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503", after_seconds=600)]
        queued("a")
        run_all()
        queued("a-later", "a")
        run_all()

        assert outside.calls == ["a-0", "a-later-0"]
        later = Intent.objects.for_scope(ALL_ACCOUNTS).filter(queue="a").latest("id")
        assert later.behind

    def test_write_one_row_when_their_first_fails_however_many_wait(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503", after_seconds=600)]
        first, *_ = queued(*["a"] * 2_000)
        before = _versions()
        run_all()

        assert {pk for pk, version in _versions().items() if version != before[pk]} == {first.pk}
        looked_at = Intent.objects.for_scope(ALL_ACCOUNTS).filter(behind=False)
        assert [each.pk for each in looked_at] == [first.pk]

    def test_come_forward_when_their_first_ended_while_they_were_added(
        self, outside: Outside
    ) -> None:
        queued("a")
        (first,) = intent_leases.lease([KIND], 5)
        ended = Thread(target=_settle_elsewhere, args=(first,))
        with transaction.atomic():
            one = NewIntent(KIND, "a-1", "order", ids.uuid7(), first.account_id, queue="a")
            intents.add([one], at=NOON, actor=ACTOR)
            ended.start()
            ended.join()
        run_all()

        assert outside.calls == ["a-1"]

    def test_are_found_again_when_a_worker_died_between_two(self, outside: Outside) -> None:
        queued("a", "a", "b", "b")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_intent SET state = 'done' WHERE NOT behind")

        assert intents.run_due(at=NOON) == 0
        assert intent_leases.advance_all() == 2
        assert intent_leases.advance_all() == 0
        run_all()
        assert sorted(outside.calls) == ["a-1", "b-3"]

    def test_stop_at_a_dead_one_and_the_case_says_so(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503")]
        dead, *_ = queued("a", "a", "a")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_intent SET first_tried_at = clock_timestamp() - interval '75 hours' "
                "WHERE id = %s",
                [dead.pk],
            )
        run_all()
        make_due()
        run_all()

        assert outside.calls == ["a-0"]
        evidence = CaseReport.objects.get().evidence
        assert (evidence["queue"], evidence["waiting_behind"]) == ("a", 2)

    def test_go_on_at_once_when_the_dead_one_is_revived(self, outside: Outside) -> None:
        dead, *_ = queued("a", "a")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_intent SET state = 'dead' WHERE id = %s", [dead.pk])

        intents.revive([dead.pk], at=NOON, actor=ACTOR)
        run_all()

        assert outside.calls == ["a-0", "a-1"]

    def test_go_on_at_once_when_the_first_is_withdrawn(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503", after_seconds=600)]
        queued("a", "a")
        run_all()

        with transaction.atomic():
            withdrawn = owned_intents.withdraw(KIND, ["a-0"], why="not wanted any more")
        run_all()

        assert withdrawn == {"a-0"}
        assert outside.calls == ["a-0", "a-1"]

    def test_go_on_after_a_refusal(self, outside: Outside) -> None:
        outside.answers = [Answer.refused("no")]
        queued("a", "a")
        run_all()

        assert outside.calls == ["a-0", "a-1"]

    def test_wait_for_the_answer_of_one_that_is_under_way(self, outside: Outside) -> None:
        queued("a", "a")
        (first,) = intent_leases.lease([KIND], 5)

        assert intents.run_due(at=NOON) == 0
        intents.settle(first, Answer.done(), at=NOON)
        assert intents.run_due(at=NOON) == 1


@pytest.mark.django_db(transaction=True)
class TestPuttingOff:
    def test_lasts_as_long_as_the_other_side_wants(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("429", after_seconds=600)]
        intent = IntentFactory()
        run()

        intent.refresh_from_db()
        left = intent.due_at - datetime.now(UTC)
        assert timedelta(minutes=9) < left <= timedelta(minutes=10)

    def test_does_not_count_towards_giving_up_before_anybody_was_asked(
        self, outside: Outside
    ) -> None:
        outside.answers = [Answer.retry("paused", after_seconds=60, asked=False)]
        intent = IntentFactory()
        run()

        intent.refresh_from_db()
        assert (intent.state, intent.first_tried_at) == (IntentState.PENDING, None)

    def test_counts_from_the_first_call_that_was_made(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("503"), Answer.retry("paused", asked=False)]
        intent = IntentFactory()
        run()
        intent.refresh_from_db()
        first = intent.first_tried_at
        run()

        intent.refresh_from_db()
        assert intent.first_tried_at == first

    def test_for_weeks_does_not_overflow(self, outside: Outside) -> None:
        outside.answers = [Answer.retry("paused", asked=False)]
        intent = IntentFactory(attempts=intent_leases.MOST_ATTEMPTS)

        run()

        intent.refresh_from_db()
        assert intent.attempts == intent_leases.MOST_ATTEMPTS


def test_the_back_off_fits_into_75_hours() -> None:
    total, attempt = timedelta(), 1
    while total < timedelta(hours=intents.GIVE_UP_HOURS):
        total += timedelta(seconds=intents._back_off(attempt))
        attempt += 1

    assert 12 <= attempt <= 20
    assert list(intents.BACK_OFF_SECONDS) == sorted(intents.BACK_OFF_SECONDS)


@pytest.mark.django_db(transaction=True)
class TestRevive:
    def test_tries_dead_and_refused_ones_again(self, outside: Outside) -> None:
        dead = IntentFactory(state=IntentState.DEAD, attempts=14)
        done = IntentFactory(state=IntentState.DONE)

        outcomes = intents.revive(
            [dead.pk, done.pk, ids.uuid7()], at=NOON, actor=Actor.system("tests")
        )

        assert [outcome.ok for outcome in outcomes] == [True, False, False]
        assert [o.problem.code for o in outcomes if o.problem] == [
            "illegal-transition",
            "not-found",
        ]
        run()
        dead.refresh_from_db()
        assert dead.state == IntentState.DONE

    def test_refuses_what_its_owner_tries_again_and_says_what_to_do(self) -> None:
        other = Outside()
        intents.register(
            "test.owned",
            other.perform,
            on_answer=other.on_answer,
            revivable=False,
            instead="ask the owner",
        )
        dead = IntentFactory(kind="test.owned", state=IntentState.DEAD)
        try:
            (outcome,) = intents.revive([dead.pk], at=NOON, actor=ACTOR)
        finally:
            del intents._kinds["test.owned"]

        assert outcome.problem is not None
        assert outcome.problem.detail == "This cannot be revived: ask the owner."
        dead.refresh_from_db()
        assert dead.state == IntentState.DEAD

    @pytest.mark.parametrize(("revivable", "instead"), [(False, ""), (True, "ask the owner")])
    def test_names_another_way_exactly_where_it_is_refused(
        self, *, revivable: bool, instead: str
    ) -> None:
        other = Outside()
        with pytest.raises(ValueError, match="what to do instead"):
            intents.register(
                "test.unsaid",
                other.perform,
                on_answer=other.on_answer,
                revivable=revivable,
                instead=instead,
            )
