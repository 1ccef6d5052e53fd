"""Inbound that comes at another time: kept, told, and a case where promises break."""

from datetime import timedelta

import pytest

from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import InboundSlip
from inventory.types import SlipDraft
from tests.factories.inventory import ANNA, InboundFactory, InboundLineFactory, future_want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def slip(*drafts: SlipDraft, reason: str = "port closed"):
    return services.slip_inbound(drafts, source="carrier", reason=reason, at=NOON + DAY, actor=ANNA)


def test_keeps_what_was_expected_and_tells_what_it_breaks():
    line = InboundLineFactory()
    for units, promised in [(4, 3), (3, 5), (2, 9)]:
        wanted = future_want(line.sku, units, promised_at=NOON + promised * DAY)
        services.reserve_future([wanted], at=NOON, actor=ANNA)
    services.reserve_future([future_want(line.sku, 1)], at=NOON, actor=ANNA)
    late = SlipDraft(line.pk, NOON + 6 * DAY)

    (outcome,) = slip(late)

    assert (outcome.value.waiting, outcome.value.broken) == (10, 7)
    line.refresh_from_db()
    assert line.eta_at == NOON + 6 * DAY
    [kept] = InboundSlip.objects.for_scope(ALL_ACCOUNTS)
    assert (kept.was_eta_at, kept.eta_at, kept.source, kept.reason) == (
        NOON + 3 * DAY,
        NOON + 6 * DAY,
        "carrier",
        "port closed",
    )
    [event] = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="inbound.slipped")
    assert (event.data["line_ids"], event.data["broken"]) == ([line.pk], 7)
    assert [one.kind for one in CaseReport.objects.all()] == ["INBOUND_SLIPPED"]
    assert slip(late)[0].kind == "repeated"
    assert slip(SlipDraft(line.pk, NOON + 5 * DAY))[0].value.broken == 0
    assert [
        one.seq
        for one in Event.objects.for_scope(ALL_ACCOUNTS)
        .filter(topic="inbound.slipped")
        .order_by("seq")
    ] == [
        1,
        2,
    ]
    assert CaseReport.objects.count() == 1


def test_one_document_is_one_case_and_lines_that_are_over_are_refused():
    document = InboundFactory()
    first, second = (InboundLineFactory(inbound=document) for _ in range(2))
    received = InboundLineFactory(inbound=document, received=10)
    closed = InboundLineFactory(inbound=InboundFactory(state="cancelled"))
    for line in (first, second):
        wanted = future_want(line.sku, 30, promised_at=NOON + 3 * DAY)
        services.reserve_future([wanted], at=NOON, actor=ANNA)

    outcomes = slip(
        *(SlipDraft(line.pk, NOON + 4 * DAY) for line in (first, second, received, closed)),
        SlipDraft(10**9, NOON),
    )

    assert [one.problem.code if one.problem else one.value.broken for one in outcomes] == [
        10,
        10,
        "received",
        "closed",
        "not-found",
    ]
    [report] = CaseReport.objects.all()
    assert report.evidence["broken"] == 20
