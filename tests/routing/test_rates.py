"""Rate cards: what services are expected to cost and take."""

import pytest

from inventory.services.define import ServiceDraft, define_services
from routing import reference, services
from routing.models import RateCard, RateZone
from routing.services import RateCardDraft, ZoneDraft
from tests.factories.routing import MONDAY_NOON, SYSTEM

pytestmark = pytest.mark.django_db


def service_levels() -> dict[str, int]:
    return define_services(
        [
            ServiceDraft("air", "Air", "express", "ups", "UPS"),
            ServiceDraft("ground", "Ground", "standard", "ups", "UPS"),
        ],
        at=MONDAY_NOON,
        actor=SYSTEM,
    )


class TestDefineRateCards:
    def test_replaces_the_zones_of_a_service(self):
        levels = service_levels()

        for price in (500, 700):
            services.define_rate_cards(
                [RateCardDraft("ground", levels["ground"], (ZoneDraft(40_000, price, 0, 1, 2),))],
                at=MONDAY_NOON,
                actor=SYSTEM,
            )

        assert [zone.base for zone in reference.current().rates().zones["ground"]] == [700]
        assert RateCard.objects.count() == 1
        assert sorted(RateZone.history.values_list("history_type", flat=True)) == ["+", "+", "-"]


class TestReference:
    def test_takes_the_standard_service_where_none_or_an_unknown_one_is_asked_for(self):
        levels = service_levels()
        lanes = (ZoneDraft(40_000, 500, 0, 1, 2),)
        services.define_rate_cards(
            [RateCardDraft(code, levels[code], lanes) for code in ("air", "ground")],
            at=MONDAY_NOON,
            actor=SYSTEM,
        )

        known = reference.current()

        assert [known.service_for(asked) for asked in ("", "moon", "air")] == [
            "ground",
            "ground",
            "air",
        ]

    def test_has_lanes_before_anybody_has_entered_a_card(self):
        assert reference.current().services() == {"standard"}

    def test_reads_again_only_what_has_changed(self):
        before = reference.current()
        services.define_rate_cards(
            [
                RateCardDraft(
                    "ground", service_levels()["ground"], (ZoneDraft(40_000, 500, 0, 1, 2),)
                )
            ],
            at=MONDAY_NOON,
            actor=SYSTEM,
        )

        after = reference.current()

        assert after is not before
        assert reference.current() is after
        assert after.services() == {"ground"}
