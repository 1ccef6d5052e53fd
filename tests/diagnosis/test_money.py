"""The doctor's questions about money: is there a provider, does it answer, does it refuse?"""

from collections.abc import Sequence
from typing import Any

import pytest

from config.diagnosis import money
from config.diagnosis.findings import Level
from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from orders import payments
from orders.models import Authorization, Capture, Tender
from orders.payments import PaymentAnswer
from tests.factories.kernel import NOON
from tests.factories.orders import card, line, shop


class Answering:
    """A provider that says this of a key it never saw."""

    def __init__(self, answer: PaymentAnswer | None) -> None:
        self.answer = answer

    def find(self, key: str) -> PaymentAnswer | None:
        del key
        return self.answer


@pytest.mark.django_db
class TestProviders:
    def test_warns_where_none_is_set_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(payments, "_factories", {})

        found = money.providers()

        assert found.level is Level.WARN
        assert "No payment provider is set up" in found.said

    @pytest.mark.parametrize(
        ("answer", "level"),
        [
            (None, Level.OK),
            (PaymentAnswer("refused"), Level.OK),
            (PaymentAnswer("unknown", code="no-answer"), Level.WARN),
        ],
    )
    def test_asks_each_whether_it_answers(
        self, monkeypatch: pytest.MonkeyPatch, answer: PaymentAnswer | None, level: Level
    ) -> None:
        monkeypatch.setattr(payments, "_factories", {"pay": lambda: Answering(answer)})

        assert money.providers().level is level


def one(model: type[Tender | Authorization]) -> Any:
    return model.objects.for_scope(ALL_ACCOUNTS).get()


@pytest.mark.django_db
class TestCaptures:
    def ended(self, states: Sequence[str]) -> None:
        web = shop()
        order = web.accepted(line(web.sku(1)), tenders=(card(1000),))
        tender, authorization = one(Tender), one(Authorization)
        Capture.objects.bulk_create(
            Capture(
                id=ids.uuid7(),
                tender=tender,
                authorization=authorization,
                order=order,
                account_id=order.account_id,
                amount_minor=1,
                state=state,
                failure="The card was declined." if state == "failed" else "",
                at=NOON,
            )
            for state in states
        )

    def test_fails_when_most_of_the_last_hour_were_refused(self) -> None:
        self.ended(["failed"] * 6 + ["succeeded"] * 2)

        found = money.captures()

        assert found.level is Level.FAIL
        assert "6 of 8 captures" in found.said
        assert "The card was declined." in found.said

    @pytest.mark.parametrize(
        "states", [[], ["failed"] * 4, ["failed"] * 6 + ["succeeded"] * 6, ["requested"] * 9]
    )
    def test_is_well_with_the_odd_declined_card(self, states: list[str]) -> None:
        self.ended(states)

        assert money.captures().level is Level.OK
