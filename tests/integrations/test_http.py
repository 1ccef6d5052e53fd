"""Calling a remote party: bounded, paced, broken off while it fails, and quiet about secrets."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from integrations.http import Listener, OutcomeUnknown, RemoteClient, Unreached
from integrations.pacing import FAILURES, Breaker, Bucket, Busy, Pace, Rate
from integrations.sandbox.box import Reply, Request, Simulator, route
from integrations.sandbox.panel import Failure


class Party(Simulator):
    """Answers, and counts what it was asked."""

    def __init__(self) -> None:
        super().__init__("party")
        self.asked = 0

    @route("GET", "/things")
    def things(self, request: Request) -> Reply:
        self.asked += 1
        return 200, [{"n": 1}, {"n": 2}], {"Link": '<next>; rel="next"'}

    @route("POST", "/things")
    def make(self, request: Request) -> Reply:
        self.asked += 1
        return 201, {"key": request.headers.get("idempotency-key"), **request.json}

    @route("GET", "/long")
    def long(self, request: Request) -> Reply:
        return 200, b"x" * (17 * 1024 * 1024)


@pytest.fixture
def party() -> Iterator[Party]:
    with (made := Party()).running():
        yield made


@pytest.fixture
def call(party: Party) -> Iterator[Callable[..., RemoteClient]]:
    made: list[RemoteClient] = []

    def client(url: str = "", **words: object) -> RemoteClient:
        made.append(RemoteClient("party", url or party.url, **words))  # type: ignore[arg-type]
        return made[-1]

    yield client
    for one in made:
        one.close()


class TestAnswers:
    def test_hold_objects_lists_headers_and_bytes(self, call):
        made = call().send("POST", "/things", json={"a": 1}, key="k-1")
        listed = call().send("GET", "/things")

        assert (made.status, made.ok, made.body) == (201, True, {"key": "k-1", "a": 1})
        assert (listed.rows, listed.body) == ([{"n": 1}, {"n": 2}], {})
        assert listed.headers["link"] == '<next>; rel="next"'
        assert listed.content.startswith(b"[")

    def test_that_are_too_long_are_not_read_to_the_end(self, call):
        with pytest.raises(OutcomeUnknown):
            call().send("GET", "/long")

    def test_of_an_error_of_theirs_are_no_answers(self, call, party):
        party.panel.set([Failure("server_error")])

        with pytest.raises(OutcomeUnknown):
            call().send("POST", "/things", json={})

    def test_hung_up_are_unknown(self, call, party):
        party.panel.set([Failure("silence")])

        with pytest.raises(OutcomeUnknown):
            call().send("POST", "/things", json={})


class TestTime:
    def test_is_bounded_when_nobody_answers(self, call, party):
        party.panel.set([Failure("slow", seconds=2)])
        began = time.monotonic()

        with pytest.raises(OutcomeUnknown):
            call(total_seconds=0.3).send("GET", "/things")

        assert time.monotonic() - began < 1.5

    def test_is_bounded_when_the_answer_comes_in_drips(self, call):
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=drip, args=(server,), daemon=True).start()
            began = time.monotonic()

            with pytest.raises(OutcomeUnknown):
                call(f"http://127.0.0.1:{server.getsockname()[1]}", total_seconds=0.5).send(
                    "GET", "/"
                )

            assert time.monotonic() - began < 2

    def test_is_short_when_nobody_listens(self, call, unused_port):
        with pytest.raises(Unreached):
            call(f"http://127.0.0.1:{unused_port}", total_seconds=1).send("GET", "/")


def drip(server: socket.socket) -> None:
    """An answer of a hundred bytes, one every tenth of a second."""
    taken, _ = server.accept()
    with taken:
        taken.recv(4096)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        try:
            for _ in range(100):
                taken.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            return


class Time:
    """A clock that goes when it is told to, and remembers who slept."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class TestBreaker:
    def test_opens_after_failures_in_a_row_and_spares_the_party(self, call, party):
        client = call(pace=Pace("party"))
        party.panel.set([Failure("server_error")])
        for _ in range(FAILURES):
            with pytest.raises(OutcomeUnknown):
                client.send("GET", "/things")
        party.panel.set([])

        with pytest.raises(Unreached, match="keeps failing"):
            client.send("GET", "/things")

    def test_lets_one_caller_try_for_all_and_closes_when_it_succeeds(self):
        clock = Time()
        breaker = Breaker(clock=clock)
        for _ in range(FAILURES):
            breaker.failed()
        clock.now += 31

        breaker.enter("party")
        with pytest.raises(Busy):
            breaker.enter("party")
        breaker.succeeded()
        breaker.enter("party")

        assert not breaker.is_open

    def test_opens_again_when_the_try_fails(self):
        clock = Time()
        breaker = Breaker(clock=clock)
        for _ in range(FAILURES):
            breaker.failed()
        clock.now += 31
        breaker.enter("party")

        breaker.failed()

        with pytest.raises(Busy) as refusal:
            breaker.look("party")
        assert refusal.value.after_seconds == 30

    def test_forgets_failures_that_are_not_in_a_row(self):
        breaker = Breaker()
        for _ in range(3 * FAILURES):
            breaker.failed()
            breaker.succeeded()

        assert not breaker.is_open


class TestBusy:
    @pytest.mark.parametrize(("said", "expected"), [("7", 7), (None, 1)])
    def test_is_what_429_means_and_says_for_how_long(self, call, party, said, expected):
        party.panel.set([Failure("rate_limit", seconds=float(said) if said else None)])
        client = call(pace=Pace("party"))

        with pytest.raises(Busy) as refusal:
            client.send("GET", "/things")

        assert refusal.value.after_seconds == expected

    def test_lasts_until_the_pause_is_over_without_asking_again(self, call, party):
        clock = Time()
        client = call(pace=Pace("party", Breaker(clock=clock)))
        party.panel.set([Failure("rate_limit", seconds=60)])
        with pytest.raises(Busy):
            client.send("GET", "/things")
        party.panel.set([])

        with pytest.raises(Busy, match="asked for a pause"):
            client.send("GET", "/things")
        clock.now += 61

        assert client.send("GET", "/things").ok
        assert party.asked == 1

    def test_is_an_answer_like_others_for_a_client_without_a_pace(self, call, party):
        party.panel.set([Failure("rate_limit")])

        assert call().send("GET", "/things").status == 429


class TestBucket:
    def test_gives_a_burst_and_then_one_at_a_time(self):
        bucket = Bucket(f"test-{time.time_ns()}", Rate(per_second=2, burst=3))

        waits = [bucket.take() for _ in range(4)]

        assert waits[:3] == [0, 0, 0]
        assert 0.3 < waits[3] <= 0.5

    def test_tells_who_would_wait_too_long_to_come_back(self):
        bucket = Bucket(f"test-{time.time_ns()}", Rate(per_second=0.1))
        bucket.take()

        with pytest.raises(Busy) as refusal:
            bucket.take()

        assert 8 < refusal.value.after_seconds <= 10

    def test_is_shared_by_all_processes(self):
        name = f"test-{time.time_ns()}"
        Bucket(name, Rate(per_second=0.1)).take()

        with pytest.raises(Busy):
            Bucket(name, Rate(per_second=0.1)).take()

    def test_keeps_the_rate_alone_while_redis_is_away(self, monkeypatch, unused_port):
        from redis import Redis

        from integrations import pacing

        away = Redis(port=unused_port, socket_connect_timeout=0.2)
        monkeypatch.setattr(pacing, "_redis", lambda: away)
        bucket = Bucket("alone", Rate(per_second=0.1))

        assert bucket.take() == 0
        with pytest.raises(Busy):
            bucket.take()

    def test_makes_the_caller_wait_for_its_turn(self, call):
        clock = Time()
        bucket = Bucket(f"test-{time.time_ns()}", Rate(per_second=2))
        client = call(pace=Pace("party", bucket=bucket, sleep=clock.sleep))

        client.send("GET", "/things")
        client.send("GET", "/things")

        assert len(clock.slept) == 1


class TestLogs:
    def test_name_party_path_and_outcome_and_hide_the_rest(self, call, caplog):
        with caplog.at_level(logging.INFO, "integrations.http"):
            call(headers={"Authorization": "Bearer canary-token"}).send(
                "POST",
                "/things",
                json={"email": "canary@example.com"},
                params={"token": "canary-query"},
                key="canary-key",
            )

        assert "party POST /things: 201" in caplog.text
        assert "canary" not in caplog.text


class TestListener:
    def test_hears_how_calls_end(self, call, party):
        heard: list[str] = []
        client = call(listener=Listener(lambda: heard.append("answered"), heard.append))

        client.send("GET", "/things")
        party.panel.set([Failure("server_error")])
        with pytest.raises(OutcomeUnknown):
            client.send("GET", "/things")

        assert heard == ["answered", "500"]
