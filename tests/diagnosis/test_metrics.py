"""What Prometheus is told: requests of this process, and how the work stands."""

from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from config.kernel.combining import Combiner
from config.kernel.models import Delivery, Lease
from tests.factories.kernel import NOON, CaseFactory, IntentFactory
from tests.factories.orders import line, shop

pytestmark = pytest.mark.django_db
TOKEN = "a token that Prometheus has"


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def scraped() -> dict[str, dict[tuple[str, ...], float]]:
    """Each sample by its name and the values of its labels."""
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


class TestTheDoor:
    def test_needs_the_token(self) -> None:
        assert Client().get("/metrics").status_code == 401
        wrong = Client().get("/metrics", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401

    def test_is_not_there_without_one(self, settings: Any) -> None:
        settings.METRICS_TOKEN, settings.DEBUG = "", False

        assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


class TestRequests:
    def test_are_counted_by_route_and_never_by_id(self) -> None:
        for number in ("SY-1", "SY-2"):
            Client().get(f"/console/orders/{number}/")

        found = scraped()

        counted = found["switchyard_request_seconds_count"]
        assert counted["GET", "console/orders/<str:number>/", "3xx"] >= 2
        assert not any("SY-1" in "".join(labels) for labels in counted)

    def test_of_no_route_are_one_series(self) -> None:
        Client().get("/nowhere/at/all")

        assert scraped()["switchyard_request_seconds_count"]["GET", "unmatched", "4xx"] >= 1

    def test_tell_their_statements(self) -> None:
        name, labels = "switchyard_request_statements_sum", {"route": "readyz"}
        before = REGISTRY.get_sample_value(name, labels) or 0

        Client().get("/readyz")

        assert (REGISTRY.get_sample_value(name, labels) or 0) > before

    def test_tell_how_many_calls_were_combined(self) -> None:
        Client().get("/healthz")
        before = REGISTRY.get_sample_value("switchyard_combined_calls_count") or 0

        Combiner(lambda items: items).submit(1)

        assert REGISTRY.get_sample_value("switchyard_combined_calls_count") == before + 1


class TestWork:
    def test_is_told_by_kind(self) -> None:
        CaseFactory(kind="STUCK")
        IntentFactory(kind="label.buy", state="dead")
        made = shop()
        made.captured(line(made.sku(1)))
        Delivery.objects.create(
            event_id=made.account.pk, consumer="test", topic="x", subject_id=made.account.pk,
            seq=1, shard=0, state="dead",
        )  # fmt: skip
        Lease.objects.create(name="tick", holder="t", expires_at=NOON, done_at=NOON)

        found = scraped()

        assert found["switchyard_cases_open"]["STUCK",] == 1
        assert found["switchyard_intents_open"]["label.buy", "dead"] == 1
        assert found["switchyard_deliveries_open"]["test", "dead"] == 1
        assert found["switchyard_heartbeat_seconds"]["tick",] > 0
        assert found["switchyard_oversold_positions"][()] == 0
        assert {"switchyard_outbox_lag_seconds", "switchyard_unaccepted_order_seconds"} <= set(
            found
        )

    def test_costs_the_same_statements_however_much_there_is(
        self, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            CaseFactory()

        with django_assert_max_num_queries(8):
            scraped()
