"""A delay beyond the first promise is asked about; an answer, or silence, takes effect once."""

from datetime import timedelta

import pytest

from config.kernel.errors import Conflict
from config.kernel.models import Account
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.models import ConsentAnswer, ConsentQuestion, Promise
from orders.services import answer_consent, ask_consent, end_consents, promise_later
from orders.types import ConsentGiven, NewDates
from tests.factories.fulfillment import BEN, Placed, place, shipped
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import NOON
from tests.factories.promises import promise_for

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def delayed(*, days: int = 2) -> Placed:
    """Two reserved units, promised for three days and then later."""
    sku = SkuFactory()
    placed = place({sku: 2}, NodeFactory(account=sku.account))
    promise_for(placed, NOON + DAY, NOON + 3 * DAY)
    promise_for(placed, NOON + (1 + days) * DAY, NOON + (3 + days) * DAY, version=2)
    return placed


def asked(placed: Placed, **how: bool) -> ConsentQuestion:
    [question] = ask_consent([placed.order.pk], at=NOON, actor=BEN, **how)
    found: ConsentQuestion = ConsentQuestion.objects.for_scope(ALL_ACCOUNTS).get(pk=question)
    return found


def says(question: ConsentQuestion, choice: str) -> ConsentAnswer:
    given = ConsentGiven(question.pk, choice, "agent", "Do you wait?")
    return answer_consent(given, at=NOON, actor=BEN)


class TestAsking:
    def test_a_first_delay_of_a_few_days_takes_silence_for_consent(self):
        question = asked(delayed(days=2))

        assert (question.number, question.silence) == (1, "consent")
        assert question.until == question.asked_latest == NOON + 5 * DAY
        assert question.first_latest == NOON + 3 * DAY

    def test_more_than_thirty_days_a_second_delay_and_no_date_cancel_on_silence(self):
        second = delayed()
        says(asked(second), "accept")
        promise_for(second, NOON + 9 * DAY, NOON + 11 * DAY, version=3)

        questions = [asked(delayed(days=31)), asked(second), asked(delayed(), unknown=True)]

        assert [one.silence for one in questions] == ["cancel"] * 3
        assert [one.number for one in questions] == [1, 2, 1]
        assert questions[2].asked_latest is None
        assert questions[2].until == NOON + 7 * DAY

    def test_the_same_delay_is_asked_about_once_and_a_later_one_instead(self):
        placed = delayed()
        first = asked(placed)
        assert ask_consent([placed.order.pk], at=NOON, actor=BEN) == []
        promise_for(placed, NOON + 9 * DAY, NOON + 11 * DAY, version=3)

        second = asked(placed)

        first.refresh_from_db()
        assert first.answer.choice == "replaced"
        assert second.answered_at is None

    def test_nobody_is_asked_about_what_has_left_or_where_the_account_does_not_ask(self):
        gone, _, _ = shipped()
        promise_for(gone, NOON + DAY, NOON + 3 * DAY)
        promise_for(gone, NOON + DAY, NOON + 6 * DAY, version=2)
        quiet = delayed()
        Account.objects.filter(pk=quiet.order.account_id).update(
            settings={"promises": {"ask": False}}
        )

        assert ask_consent([gone.order.pk, quiet.order.pk], at=NOON, actor=BEN) == []


class TestAnswering:
    def test_accepting_takes_effect_once_and_keeps_its_proof(self):
        question = asked(delayed())

        answer = says(question, "accept")

        assert says(question, "accept").pk == answer.pk
        assert (answer.actor_name, answer.text, answer.at) == ("ben", "Do you wait?", NOON)
        with pytest.raises(Conflict):
            says(question, "cancel_all")

    def test_cancelling_gives_back_what_has_not_left(self):
        placed = delayed()

        answer = says(asked(placed), "cancel_all")

        assert answer.cancelled_units == placed.line().cancelled == 2

    def test_what_is_late_goes_alone_where_the_rest_is_ready(self):
        placed = delayed()
        line = placed.line()
        line.reserved, line.backordered, line.ordered = 2, 1, 3
        line.save()

        answer = says(asked(placed), "cancel_late")

        assert (answer.cancelled_units, placed.line().reserved) == (1, 2)


class TestSilence:
    def test_is_what_the_question_said(self):
        waits, cancels = delayed(), delayed(days=31)
        ask_consent([waits.order.pk, cancels.order.pk], at=NOON, actor=BEN)

        assert end_consents(10, at=NOON + 4 * DAY, actor=BEN) == 0
        assert end_consents(10, at=NOON + 8 * DAY, actor=Actor.system("sweep")) == 2

        answers = ConsentAnswer.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
        assert [(one.choice, one.by) for one in answers] == [
            ("accept", "silence"), ("cancel_all", "silence"),
        ]  # fmt: skip
        assert (waits.line().cancelled, cancels.line().cancelled) == (0, 2)


class TestPromisingLater:
    def test_is_a_new_version_and_never_an_earlier_one(self):
        placed = delayed()
        later = NewDates(placed.group.pk, NOON + 6 * DAY, NOON + 8 * DAY)
        earlier = NewDates(placed.group.pk, NOON + DAY, NOON + 2 * DAY)

        done, refused = (promise_later([one], at=NOON, actor=BEN)[0] for one in (later, earlier))

        assert refused.problem is not None
        assert refused.problem.code == "not-later"
        versions = Promise.objects.for_scope(ALL_ACCOUNTS).filter(group=placed.group)
        newest = versions.order_by("-version")[0]
        assert (newest.pk, newest.cause) == (done.value, "rescue")
        assert versions.count() == 3
