"""The network between us and the others fails: nothing waits beyond its time, nothing is lost."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from django.db import connection, transaction
from django.db import connections as connections_of_django
from rest_framework.test import APIClient

from config.kernel import ids
from config.kernel.models import Intent
from config.kernel.services import intents
from config.kernel.services.intents import Answer, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS
from integrations import connections, pacing
from integrations.http import Busy, OutcomeUnknown, RemoteClient, Unreached
from integrations.pacing import Breaker, Bucket, Pace, Rate
from integrations.sandbox.box import Reply, Request, Simulator, route
from tests.factories.integrations import a_connection
from tests.factories.kernel import NOON, ApiKeyFactory, ChannelFactory
from tests.factories.routing import SYSTEM
from tests.faulty_network import FaultyNetwork

FAULTS = ["latency", "reset", "half_open", "black_hole"]
SECONDS = 0.6
"""What a call may take; its breaker opens for as long."""
KIND = "test.faults"
TEN_MINUTES = 600


class Warehouse(Simulator):
    """Takes orders, each once by its key, and can be asked for them."""

    @route("POST", "/orders", idempotent=True)
    def take(self, request: Request) -> Reply:
        self.store["orders"].setdefault(request.headers["idempotency-key"], 0)
        self.store["orders"][request.headers["idempotency-key"]] += 1
        return 201, {}

    @route("GET", "/orders/{key}")
    def read(self, request: Request) -> Reply:
        return (200, {}) if request.params["key"] in self.store["orders"] else (404, {})


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with (made := Warehouse("warehouse")).running():
        yield made


@pytest.fixture
def network(warehouse: Warehouse) -> Iterator[FaultyNetwork]:
    with FaultyNetwork(warehouse.port, seconds=2 * SECONDS).running() as made:
        yield made


@pytest.mark.parametrize("fault", FAULTS)
class TestACounterpartBehindAFault:
    def test_costs_a_call_its_time_and_then_none(self, network, fault):
        pace = Pace("warehouse", Breaker(open_seconds=SECONDS))
        client = RemoteClient("warehouse", network.url, total_seconds=SECONDS, pace=pace)
        assert client.send("POST", "/orders", json={}, key="before").ok
        network.mode = fault

        longest = 0.0
        while not pace.breaker.is_open:
            began = time.monotonic()
            with pytest.raises((OutcomeUnknown, Unreached)):
                client.send("POST", "/orders", json={}, key="during")
            longest = max(longest, time.monotonic() - began)
        began = time.monotonic()
        with pytest.raises(Busy):
            client.send("POST", "/orders", json={}, key="during")
        refused_after = time.monotonic() - began

        network.mode = "ok"
        network.cut()
        time.sleep(SECONDS)
        recovered = self.recovers(client)
        client.close()

        assert longest < SECONDS + 1
        assert refused_after < 0.1
        assert recovered

    @staticmethod
    def recovers(client: RemoteClient) -> bool:
        """The first call may still find a connection that has ended."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                return client.send("POST", "/orders", json={}, key="after").ok
            except (OutcomeUnknown, Unreached):
                time.sleep(0.1)
        return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_backlog_drains_when_the_fault_is_over_and_every_order_is_there_once(
    warehouse, network, fault
):
    ref = a_connection(
        ChannelFactory(),
        "wms",
        live=True,
        base_url=network.url,
        settings={"timeout_seconds": SECONDS},
    )
    intents.register(KIND, ask(ref), on_answer=lambda *_, **__: None, find=find(ref))
    keys = [f"order-{n}" for n in range(20)]
    try:
        write(ref, keys)
        network.mode = fault
        for _ in range(3):
            hurry()
            intents.run_due(at=NOON)
        network.mode = "ok"
        network.cut()
        connections.forget()
        drain()
    finally:
        del intents._kinds[KIND]

    assert set(Intent.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)) == {"done"}
    assert dict(warehouse.store["orders"]) == dict.fromkeys(keys, 1)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.django_db(transaction=True)
def test_ten_minutes_of_a_black_hole_are_made_good_within_ten_more(warehouse, network):
    """With the back-offs and time-outs of a real connection, in real time: nothing is hurried."""
    ref = a_connection(ChannelFactory(), "wms", live=True, base_url=network.url)
    intents.register(KIND, ask(ref), on_answer=lambda *_, **__: None, find=find(ref))
    keys = [f"order-{n}" for n in range(500)]
    pace = connections.client(ref)._pace
    try:
        write(ref, keys)
        network.mode = "black_hole"
        began, opened = time.monotonic(), 0.0
        while (passed := time.monotonic() - began) < TEN_MINUTES:
            intents.run_due(at=NOON)
            opened = opened or (passed if pace.breaker.is_open else 0.0)
            time.sleep(1)
        network.mode = "ok"
        network.cut()
        over = time.monotonic()
        while Intent.objects.for_scope(ALL_ACCOUNTS).exclude(state="done").exists():
            assert time.monotonic() - over < TEN_MINUTES, "the backlog does not drain"
            intents.run_due(at=NOON)
            time.sleep(0.2)
    finally:
        del intents._kinds[KIND]

    assert 0 < opened <= 30
    assert dict(warehouse.store["orders"]) == dict.fromkeys(keys, 1)


def write(ref: Any, keys: list[str]) -> None:
    with transaction.atomic():
        intents.add(
            [
                NewIntent(KIND, key, "order", ids.uuid7(), ref.account_id, queue=f"wms:{n % 4}")
                for n, key in enumerate(keys)
            ],
            at=NOON,
            actor=SYSTEM,
        )


def ask(ref: Any) -> intents.Perform:
    def perform(intent: LeasedIntent) -> Answer:
        try:
            answer = connections.client(ref).send("POST", "/orders", json={}, key=intent.key)
        except Busy as busy:
            return Answer.retry(str(busy), after_seconds=busy.after_seconds, asked=False)
        except Unreached as lost:
            return Answer.retry(str(lost))
        except OutcomeUnknown as lost:
            return Answer.unknown(str(lost))
        return Answer.done() if answer.ok else Answer.refused(str(answer.status))

    return perform


def find(ref: Any) -> intents.Find:
    def look(intent: LeasedIntent) -> Answer | None:
        try:
            answer = connections.client(ref).send("GET", f"/orders/{intent.key}")
        except (Unreached, OutcomeUnknown) as lost:
            return Answer.unknown(str(lost))
        return Answer.done() if answer.ok else None

    return look


def hurry() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_intent SET due_at = clock_timestamp() "
            "WHERE state IN ('pending', 'unknown')"
        )


def drain() -> None:
    """Run what is due, as if every back-off were over, until nothing is left."""
    deadline = time.monotonic() + 60
    while Intent.objects.for_scope(ALL_ACCOUNTS).exclude(state="done").exists():
        assert time.monotonic() < deadline, "the backlog does not drain"
        hurry()
        intents.run_due(at=NOON)


@pytest.fixture
def redis_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyNetwork]:
    """The cache's Redis behind a network that may fail, for throttle and buckets."""
    where = urlsplit(settings.CACHES["default"]["LOCATION"])
    with FaultyNetwork(Path(where.path), seconds=2.0).running() as made:
        moved = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{made.port}/1"}
        monkeypatch.setattr(settings, "CACHES", {"default": moved})
        options = {"OPTIONS": moved["OPTIONS"], "KEY_PREFIX": moved["KEY_PREFIX"]}
        monkeypatch.setattr(
            "config.kernel.throttling.cache", RedisCache(moved["LOCATION"], options)
        )
        pacing._redis.cache_clear()
        yield made
        pacing._redis.cache_clear()


@pytest.mark.parametrize("fault", FAULTS)
class TestRedisBehindAFault:
    @pytest.mark.django_db
    def test_holds_up_no_request_of_the_api(self, redis_network, fault):
        key = ApiKeyFactory(requests_per_minute=100)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
        assert client.get("/api/v1/orders").status_code == 200
        redis_network.mode = fault

        began = time.monotonic()
        answers = [client.get("/api/v1/orders").status_code for _ in range(3)]

        assert redis_network.taken > 0
        assert answers == [200] * 3
        assert time.monotonic() - began < 3 * 2.5

    def test_leaves_each_process_to_keep_the_rate(self, redis_network, fault):
        bucket = Bucket("behind a fault", Rate(per_second=0.1))
        redis_network.mode = fault

        began = time.monotonic()
        bucket.take()
        with pytest.raises(Busy):
            bucket.take()

        assert time.monotonic() - began < 5


@pytest.fixture
def database_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyNetwork]:
    """PostgreSQL behind a network that may fail, for connections made by threads from now on."""
    connection.ensure_connection()  # the test's own connection stays where it is
    known = connections_of_django.settings["default"]
    socket = Path(known["HOST"]) / f".s.PGSQL.{known['PORT'] or 5432}"
    with FaultyNetwork(socket).running() as made:
        monkeypatch.setitem(known, "HOST", "127.0.0.1")
        monkeypatch.setitem(known, "PORT", made.port)
        monkeypatch.setitem(known, "OPTIONS", {**known["OPTIONS"], "sslmode": "disable"})
        yield made


def read_orders(key: str) -> tuple[int, str | None, float]:
    """Status, Retry-After and seconds of a request served by a thread with its own connection."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    began = time.monotonic()
    try:
        answer = client.get("/api/v1/orders")
    finally:
        connection.close()
    return answer.status_code, answer.headers.get("Retry-After"), time.monotonic() - began


@pytest.mark.django_db(transaction=True)
class TestPostgreSQLBehindAFault:
    @pytest.mark.parametrize("fault", ["reset", "black_hole"])
    def test_is_said_in_time_and_forgotten_when_it_is_over(self, database_network, fault):
        key = ApiKeyFactory()
        connections_of_django.settings["default"]["OPTIONS"]["connect_timeout"] = 2
        with ThreadPoolExecutor(1) as thread:
            before = thread.submit(read_orders, key.secret).result()
            database_network.mode = fault
            during = thread.submit(read_orders, key.secret).result()
            database_network.mode = "ok"
            after = thread.submit(read_orders, key.secret).result()

        assert (before[0], during[:2], after[0]) == (200, (503, "5"), 200)
        assert during[2] < 5

    @pytest.mark.parametrize(
        "seconds", [0.02, pytest.param(2.0, marks=[pytest.mark.soak, pytest.mark.timeout(600)])]
    )
    def test_is_slow_and_nothing_else_when_far_away(self, database_network, seconds):
        key = ApiKeyFactory()
        database_network.seconds = seconds
        database_network.mode = "latency"
        with ThreadPoolExecutor(1) as thread:
            status, _, taken = thread.submit(read_orders, key.secret).result()

        assert status == 200
        assert taken > 2 * seconds
