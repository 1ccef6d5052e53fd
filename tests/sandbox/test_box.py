"""The ground of the simulators: routes, memory, time, credentials, hooks and the failure panel."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import httpx
import pytest

from integrations.sandbox import PORTS, SIMULATORS, credentials, fleet
from integrations.sandbox.box import Refusal, Reply, Request, Simulator, route
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.panel import KINDS, Failure, Panel

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHECKOUT = Path(__file__).parents[2]
SECRET = "shared with the receiver"


class Shop(Simulator):
    """A shop with orders, hooks that are signed, and a tick that counts."""

    @route("POST", "/orders", idempotent=True)
    def make(self, request: Request) -> Reply:
        key = str(self.store.next_number("orders", 1001))
        self.store["orders"][key] = request.json
        self.log.append("order", key=key)
        return 201, {"id": key}

    @route("GET", "/orders/{key}")
    def read(self, request: Request) -> Reply:
        found = self.store["orders"].get(request.params["key"])
        if found is None:
            raise Refusal(404, {"error": "There is no such order."})
        return 200, found

    @route("GET", "/orders/count")
    def count(self, request: Request) -> Reply:
        return 200, {"count": len(self.store["orders"])}

    @route("GET", "/open", open=True)
    def anybody(self, request: Request) -> Reply:
        return 200, {}

    @route("GET", "/broken")
    def broken(self, request: Request) -> Reply:
        raise RuntimeError("the simulator's own fault")

    def tick(self, now: datetime) -> None:
        self.store["ticks"]["last"] = now.isoformat()

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        return {
            "X-Topic": topic,
            "X-Id": message_id,
            "X-Signature": credentials.sign(SECRET, body),
        }


class Receiver(Simulator):
    """Takes hooks in and remembers what came, and whether it was signed."""

    def __init__(self) -> None:
        super().__init__("receiver")
        self.came: list[tuple[str, str, bool]] = []
        self.fail_next = 0

    @route("POST", "/hooks")
    def take(self, request: Request) -> Reply:
        genuine = request.headers["x-signature"] == credentials.sign(SECRET, request.raw)
        self.came.append((request.headers["x-id"], request.headers["x-topic"], genuine))
        if self.fail_next:
            self.fail_next -= 1
            return 503, {}
        return (200, {}) if genuine else (401, {})

    @property
    def ids(self) -> list[str]:
        return [came[0] for came in self.came]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with (made := Shop("shop", folder=tmp_path, clock=SandboxClock(NOON, speed=0))).running():
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with (made := Receiver()).running():
        yield made


def fail(simulator: Simulator, kind: str, **words: object) -> None:
    answer = httpx.put(
        f"{simulator.url}/_sandbox/failures", json={"failures": [{"kind": kind, **words}]}
    )
    assert answer.status_code == 200


class TestRoutes:
    def test_answer_by_method_and_path_and_prefer_words_to_variables(self, shop):
        made = httpx.post(f"{shop.url}/orders", json={"sku": "TEE"})

        assert (made.status_code, made.json()) == (201, {"id": "1001"})
        assert httpx.get(f"{shop.url}/orders/1001").json() == {"sku": "TEE"}
        assert httpx.get(f"{shop.url}/orders/count").json() == {"count": 1}

    def test_refuse_what_there_is_not(self, shop):
        assert httpx.get(f"{shop.url}/orders/7").status_code == 404
        assert httpx.get(f"{shop.url}/nothing").status_code == 404
        assert httpx.post(f"{shop.url}/orders", content=b"no json").status_code == 400

    def test_answer_a_repeated_key_as_the_first_time(self, shop):
        answers = [
            httpx.post(f"{shop.url}/orders", json={}, headers={"Idempotency-Key": "k"}).json()
            for _ in range(2)
        ]

        assert answers == [{"id": "1001"}] * 2

    def test_show_a_fault_of_the_simulator_and_go_on(self, shop, capsys):
        assert httpx.get(f"{shop.url}/broken").status_code == 500
        state = httpx.get(f"{shop.url}/_sandbox").json()
        assert "the simulator's own fault" in state["faults"][0]


class TestCredentials:
    @pytest.mark.parametrize(
        ("check", "headers"),
        [
            (credentials.bearer("t"), {"Authorization": "Bearer t"}),
            (credentials.basic("u", "p"), {"Authorization": "Basic dTpw"}),
            (credentials.header("X-Token", "t"), {"X-Token": "t"}),
            (
                credentials.signed("s", "X-Signature"),
                {"X-Signature": credentials.sign("s", b"")},
            ),
        ],
    )
    def test_are_wanted_of_everybody_but_open_paths_and_the_control_plane(
        self, shop, check, headers
    ):
        shop.require(check)

        assert httpx.get(f"{shop.url}/orders/count").status_code == 401
        assert httpx.get(f"{shop.url}/orders/count", headers=headers).status_code == 200
        assert httpx.get(f"{shop.url}/open").status_code == 200
        assert httpx.get(f"{shop.url}/_sandbox").status_code == 200


class TestMemory:
    def test_survives_a_restart(self, tmp_path):
        with Shop("shop", folder=tmp_path).running() as first:
            httpx.post(f"{first.url}/orders", json={"sku": "TEE"})
        with Shop("shop", folder=tmp_path).running() as second:
            httpx.post(f"{second.url}/orders", json={})

            assert sorted(second.store["orders"]) == ["1001", "1002"]
            assert [entry["key"] for entry in second.log.of("order")] == ["1001", "1002"]
            assert second.new_id() != first.new_id()

    def test_replays_with_its_seed(self):
        drawn = [[Shop("shop", seed=seed).dice.random() for _ in range(3)] for seed in (7, 7, 8)]

        assert drawn[0] == drawn[1] != drawn[2]


class TestControlPlane:
    def test_tells_time_counts_and_failures(self, shop):
        httpx.post(f"{shop.url}/orders", json={})

        state = httpx.get(f"{shop.url}/_sandbox").json()

        assert (state["now"], state["documents"]["orders"], state["log"]) == (
            NOON.isoformat(),
            1,
            {"order": 1},
        )

    def test_sets_the_clock_and_ticks(self, shop):
        later = NOON + timedelta(hours=3)

        httpx.post(f"{shop.url}/_sandbox/clock", json={"now": "2026-03-02T13:00:00Z", "speed": 0})
        httpx.post(f"{shop.url}/_sandbox/tick", json={"now": later.isoformat()})
        httpx.post(f"{shop.url}/_sandbox/tick", json={"now": NOON.isoformat()})

        assert shop.clock.now() == later

    def test_pages_through_records(self, shop):
        for n in range(5):
            httpx.post(f"{shop.url}/orders", json={"n": n})
        url = f"{shop.url}/_sandbox/records"

        first = httpx.get(f"{url}/orders", params={"limit": 3}).json()
        rest = httpx.get(f"{url}/orders", params={"limit": 3, "after": first["next"]}).json()
        log = httpx.get(f"{url}/log", params={"after": 3, "kind": "order"}).json()

        assert [one["document"]["n"] for one in (*first["records"], *rest["records"])] == [
            0,
            1,
            2,
            3,
            4,
        ]
        assert rest["next"] is None
        assert [one["n"] for one in log["records"]] == [4, 5]

    @pytest.mark.parametrize(
        "wrong", [{"kind": "fire"}, {"kind": "slow", "share": 2}, {"kind": "slow", "until": "soon"}]
    )
    def test_refuses_what_is_no_failure(self, shop, wrong):
        answer = httpx.put(f"{shop.url}/_sandbox/failures", json={"failures": [wrong]})

        assert answer.status_code == 422
        assert httpx.get(f"{shop.url}/_sandbox/failures").json() == {"failures": []}


class TestFailuresOfRequests:
    def test_rate_limit_says_when_to_come_back(self, shop):
        fail(shop, "rate_limit", seconds=9)

        answer = httpx.get(f"{shop.url}/orders/count")

        assert (answer.status_code, answer.headers["retry-after"]) == (429, "9")

    @pytest.mark.parametrize("kind", ["server_error", "silence"])
    def test_errors_and_hang_ups_come_with_and_without_the_effect(self, shop, kind):
        fail(shop, kind)
        for _ in range(20):
            try:
                assert httpx.post(f"{shop.url}/orders", json={}).status_code == 500
            except httpx.RemoteProtocolError:
                assert kind == "silence"

        assert 0 < len(shop.store["orders"]) < 20
        effects = [entry["effect"] for entry in shop.log.of("spoilt")]
        assert effects.count(True) == len(shop.store["orders"])

    def test_slow_answers_after_its_seconds(self, shop):
        fail(shop, "slow", seconds=0.3)
        began = time.monotonic()

        assert httpx.get(f"{shop.url}/orders/count").status_code == 200
        assert time.monotonic() - began >= 0.3

    def test_hit_their_share_and_replay_with_the_seed(self):
        def hits(seed: int) -> list[bool]:
            panel = Panel(seed, lambda: NOON)
            panel.set([Failure("server_error", share=0.3)])
            return [panel.strikes("server_error") is not None for _ in range(1_000)]

        assert 240 < sum(hits(7)) < 360
        assert hits(7) == hits(7) != hits(8)

    def test_end_at_their_time_of_the_simulators_clock(self, shop):
        fail(shop, "rate_limit", until=(NOON + timedelta(hours=1)).isoformat())
        assert httpx.get(f"{shop.url}/orders/count").status_code == 429

        shop.clock.set(NOON + timedelta(hours=1))

        assert httpx.get(f"{shop.url}/orders/count").status_code == 200

    def test_are_all_off_after_a_delete(self, shop):
        fail(shop, "silence")
        httpx.delete(f"{shop.url}/_sandbox/failures")

        assert httpx.get(f"{shop.url}/orders/count").status_code == 200


class TestHooks:
    def send(self, shop: Shop, receiver: Receiver, *topics: str) -> list[str]:
        return [
            shop.hooks.send(f"{receiver.url}/hooks", topic, {"topic": topic}) for topic in topics
        ]

    def test_come_signed_and_in_order(self, shop, receiver):
        ids = self.send(shop, receiver, "a", "b", "c")

        assert shop.hooks.drain(5)
        assert receiver.came == [
            (ids[0], "a", True),
            (ids[1], "b", True),
            (ids[2], "c", True),
        ]

    def test_are_sent_again_when_they_are_not_taken(self, shop, receiver):
        receiver.fail_next = 1
        ids = self.send(shop, receiver, "a")

        assert shop.hooks.drain(5)
        assert receiver.ids == ids * 2

    def test_duplicate(self, shop, receiver):
        fail(shop, "duplicate")
        ids = self.send(shop, receiver, "a", "b")

        assert shop.hooks.drain(5)
        assert sorted(receiver.ids) == sorted(ids * 2)

    def test_drop(self, shop, receiver):
        fail(shop, "drop")
        self.send(shop, receiver, "a", "b")

        assert shop.hooks.drain(5)
        assert receiver.came == []
        assert [entry["became"] for entry in shop.log.of("hook")] == ["dropped", "dropped"]

    def test_reorder(self, shop, receiver):
        fail(shop, "reorder", seconds=0.5)
        ids = self.send(shop, receiver, *"abcdefgh")

        assert shop.hooks.drain(5)
        assert receiver.ids != ids
        assert sorted(receiver.ids) == sorted(ids)

    def test_slow(self, shop, receiver):
        fail(shop, "slow", seconds=0.4)
        began = time.monotonic()
        self.send(shop, receiver, "a")

        assert shop.hooks.drain(5)
        assert time.monotonic() - began >= 0.4
        assert len(receiver.came) == 1

    def test_silence_holds_them_back_until_it_is_over(self, shop, receiver):
        fail(shop, "silence")
        ids = self.send(shop, receiver, "a")
        assert not shop.hooks.drain(0.3)

        httpx.delete(f"{shop.url}/_sandbox/failures")

        assert shop.hooks.drain(5)
        assert receiver.ids == ids

    def test_stale_sends_an_old_one_again(self, shop, receiver):
        [old] = self.send(shop, receiver, "old")
        assert shop.hooks.drain(5)
        fail(shop, "stale")
        [new] = self.send(shop, receiver, "new")

        assert shop.hooks.drain(5)
        assert receiver.ids == [old, new, old]

    def test_wrong_signature_is_tried_by_a_forger_and_the_real_one_follows(self, shop, receiver):
        fail(shop, "wrong_signature")
        [sent] = self.send(shop, receiver, "a")

        assert shop.hooks.drain(5)
        assert receiver.came == [(sent, "a", False), (sent, "a", True)]

    def test_wait_for_them_by_a_tick(self, shop, receiver):
        self.send(shop, receiver, "a")

        answer = httpx.post(f"{shop.url}/_sandbox/tick", json={"wait": 5}).json()

        assert answer["hooks_sent"] is True
        assert len(receiver.came) == 1


class TestManyCallers:
    def test_are_answered_one_at_a_time(self, shop):
        def call() -> None:
            for _ in range(10):
                httpx.post(f"{shop.url}/orders", json={})

        threads = [Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(shop.store["orders"]) == 80


class TestFleet:
    def test_knows_a_port_for_every_simulator(self):
        assert set(SIMULATORS) <= set(PORTS)
        assert len(set(PORTS.values())) == len(PORTS)

    @pytest.mark.parametrize("name", sorted(SIMULATORS))
    def test_builds_and_runs_each(self, name, tmp_path):
        with fleet.running(fleet.build([name], port=0, folder=tmp_path, seed=7)) as (simulator,):
            state = httpx.get(f"{simulator.url}/_sandbox").json()

        assert (state["seed"], state["faults"]) == (7, [])

    def test_names_what_there_is_when_asked_for_another(self):
        with pytest.raises(ValueError, match="no simulator is called fax"):
            fleet.build(["fax"])


def test_simulators_need_neither_django_nor_the_project():
    script = (
        "import sys, importlib\n"
        "from integrations.sandbox import SIMULATORS, fleet\n"
        "for path in SIMULATORS.values(): importlib.import_module(path.partition(':')[0])\n"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "{'django', 'config', 'orders', 'inventory', 'fulfillment', 'routing', 'returns'}])"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"


def test_every_kind_of_failure_is_tried_here():
    tried = set(
        "duplicate reorder rate_limit server_error silence stale slow wrong_signature drop".split()
    )

    assert tried == set(KINDS)
    assert json.dumps(Failure("slow", 0.5, NOON, 2).said())
