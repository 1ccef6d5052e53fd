"""What orders may rely on of any payment provider, held by every adapter over real HTTP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from integrations.http import RemoteClient, redacted
from integrations.payments.fakepay.client import FakePayProvider
from integrations.sandbox.fakepay import BEHAVIORS, FakePay, new_reference
from orders import payments
from orders.payments import PaymentAnswer, PaymentCall


@pytest.fixture
def server() -> Iterator[FakePay]:
    server = FakePay()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["fakepay"])
def provider(request: pytest.FixtureRequest, server: FakePay) -> Iterator[FakePayProvider]:
    provider = FakePayProvider(server.url, total_seconds=2.0)
    yield provider
    provider.close()


def call(key: str, amount: int = 1_000, behavior: str = "ok", reference: str = "") -> PaymentCall:
    return PaymentCall(key, amount, "USD", reference or new_reference(5_000, behavior))


class TestEveryProvider:
    def test_captures_once_per_key(self, provider, server):
        capture = call("capture:1")

        first, again = provider.capture(capture), provider.capture(capture)

        assert first.status == "done"
        assert first == again
        assert server.ledger.holding(capture.authorization_reference).captured == 1_000

    def test_captures_in_parts_up_to_what_was_authorized(self, provider):
        reference = new_reference(1_500)

        answers = [
            provider.capture(call(f"capture:{part}", 1_000, reference=reference)) for part in (1, 2)
        ]

        assert [(answer.status, answer.code) for answer in answers] == [
            ("done", ""),
            ("refused", "too-much"),
        ]

    def test_says_why_it_declines(self, provider):
        answer = provider.capture(call("capture:1", behavior="nocapture"))

        assert answer == PaymentAnswer("refused", "", "card-declined", "The card was declined.")

    def test_captures_nothing_from_what_was_voided(self, provider):
        reference = new_reference(5_000)

        voided = provider.void(call("void:1", reference=reference))
        captured = provider.capture(call("capture:1", reference=reference))

        assert (voided.status, captured.status, captured.code) == ("done", "refused", "voided")

    def test_gives_back_no_more_than_was_captured(self, provider):
        reference = provider.authorize(call("authorize:1", 5_000), "tok_ok").reference
        provider.capture(call("capture:1", 1_000, reference=reference))

        answers = [
            provider.refund(call(f"refund:{part}", 600, reference=reference)) for part in (1, 2)
        ]

        assert [(answer.status, answer.code) for answer in answers] == [
            ("done", ""),
            ("refused", "too-much"),
        ]

    def test_does_not_know_whether_a_lost_answer_had_its_effect_and_finds_out(self, provider):
        capture = call("capture:1", behavior="drop")

        lost = provider.capture(capture)
        found = provider.find("capture:1")
        again = provider.capture(capture)

        assert lost.status == "unknown"
        assert found is not None
        assert (found.status, found.reference) == ("done", again.reference)

    def test_finds_nothing_where_the_request_itself_was_lost(self, provider):
        capture = call("capture:1", behavior="lose")

        lost, found = provider.capture(capture), provider.find("capture:1")

        assert (lost.status, found) == ("unknown", None)
        assert provider.capture(capture).status == "done"

    def test_may_be_tried_later_when_nobody_listens(self, unused_port):
        provider = FakePayProvider(f"http://127.0.0.1:{unused_port}", total_seconds=1.0)

        answer = provider.capture(call("capture:1"))

        assert (answer.status, answer.code) == ("retry", "unreached")
        assert provider.find("capture:1").status == "unknown"

    def test_does_not_take_a_timeout_for_an_answer(self, provider, server):
        with server.ledger.lock:
            answer = FakePayProvider(server.url, total_seconds=0.2).capture(call("capture:1"))

        assert answer.status == "unknown"

    def test_answers_sixteen_at_once_with_one_effect(self, provider, server):
        capture = call("capture:1")
        answers: list[PaymentAnswer] = []

        def ask() -> None:
            answers.append(provider.capture(capture))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(answers)) == 1
        assert server.ledger.holding(capture.authorization_reference).captured == 1_000


class TestFakePay:
    def test_declines_the_card_itself(self, provider):
        assert provider.authorize(call("authorize:1"), "tok_decline").code == "card-declined"

    def test_refuses_refunds_where_told_to(self, provider):
        reference = provider.authorize(call("authorize:1", 5_000), "tok_norefund").reference
        provider.capture(call("capture:1", reference=reference))

        answer = provider.refund(call("refund:1", reference=reference))

        assert answer.code == "refund-declined"

    def test_knows_its_references_after_a_restart(self, provider):
        assert provider.refund(call("refund:1", 5_000)).status == "done"

    @pytest.mark.parametrize("behavior", BEHAVIORS)
    def test_names_its_behaviors_in_its_references(self, behavior):
        assert new_reference(100, behavior).split("_")[:3] == ["auth", "100", behavior]

    def test_has_no_other_behavior(self):
        with pytest.raises(ValueError, match="no behavior"):
            new_reference(100, "moon")

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/v1/authorizations/nothing/captures", b'{"amount": 1}', 404),
            ("/v1/moon", b"{}", 404),
            ("/v1/authorizations", b"not json", 422),
            ("/v1/authorizations", b"[]", 422),
        ],
    )
    def test_refuses_what_makes_no_sense(self, server, path, body, status):
        assert httpx.post(server.url + path, content=body).status_code == status

    def test_is_registered_with_the_port(self):
        assert isinstance(payments.provider("fakepay"), FakePayProvider)


class TestNoProvider:
    @pytest.mark.parametrize("verb", ["capture", "void", "refund"])
    def test_refuses_in_words(self, verb):
        answer = getattr(payments.provider("moon"), verb)(call("k-1"))

        assert (answer.status, answer.code) == ("refused", "no-provider")
        assert answer.message == "The payment provider “moon” is not set up here."

    def test_does_not_know_what_became_of_an_earlier_call(self):
        answer = payments.provider("moon").find("k-1")

        assert answer is not None
        assert answer.status == "unknown"

    def test_is_what_a_real_installation_has(self, monkeypatch):
        monkeypatch.setattr(payments, "_factories", {})

        assert payments.registered() == []
        assert payments.provider("fakepay").capture(call("k-1")).code == "no-provider"


class TestRemoteClient:
    def test_logs_no_id_no_key_and_no_body(self, provider, caplog):
        caplog.set_level("INFO", logger="integrations.http")
        reference = new_reference(5_000)

        provider.capture(call("capture:secret-key", reference=reference))

        [line] = [record.getMessage() for record in caplog.records if "fakepay" in record.message]
        assert line.startswith("remote call fakepay POST /v1/authorizations/…/captures: 201 in ")

    @pytest.mark.parametrize(
        ("path", "logged"),
        [
            ("/v1/orders/123", "/v1/orders/…"),
            ("/v2/orders/ab12/refunds", "/v2/orders/…/refunds"),
            ("/healthz", "/healthz"),
        ],
    )
    def test_hides_what_looks_like_an_id(self, path, logged):
        assert redacted(path) == logged

    def test_follows_no_redirect(self, server):
        client = RemoteClient("fakepay", server.url)

        assert client.send("GET", "/healthz").body == {"status": "ok"}
        client.close()


class Turnstile(BaseHTTPRequestHandler):
    """Lets nobody in, as a provider does whose key has expired."""

    def do_GET(self) -> None:
        self._refuse()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._refuse()

    def _refuse(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's
        """Stay silent."""


@pytest.fixture
def locked_out() -> Iterator[FakePayProvider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Turnstile)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    provider = FakePayProvider(f"http://127.0.0.1:{server.server_address[1]}")
    yield provider
    provider.close()
    server.shutdown()
    server.server_close()
    thread.join()


class TestAProviderThatLetsNobodyIn:
    def test_has_refused_no_payment(self, locked_out: FakePayProvider) -> None:
        assert locked_out.capture(call("capture:1")).status == "retry"

    def test_says_nothing_of_an_earlier_one(self, locked_out: FakePayProvider) -> None:
        found = locked_out.find("capture:1")

        assert found is not None
        assert found.status == "unknown"
