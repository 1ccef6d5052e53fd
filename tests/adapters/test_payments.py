"""What orders may rely on of any payment provider, held by every adapter over real HTTP."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from config.kernel.services.intents import Answer
from config.kernel.types import ALL_ACCOUNTS
from integrations import connections, services
from integrations.http import RemoteClient, redacted
from integrations.models import Connection
from integrations.payments.directory import provider_of
from integrations.payments.gateway_client import GatewayProvider
from integrations.sandbox.gateway import BEHAVIORS, GatewaySandbox, new_reference
from integrations.sandbox.panel import Failure
from integrations.services import ConnectionDraft
from integrations.types import ConnectionRef
from orders import payments
from orders.payments import PaymentAnswer, PaymentCall
from orders.services.settle import answered
from tests.adapters.conformance import AdapterConformance
from tests.factories.kernel import NOON, AccountFactory
from tests.factories.routing import SYSTEM

TOKEN = "sk_canary_of_the_gateway"


@pytest.fixture
def server() -> Iterator[GatewaySandbox]:
    made = GatewaySandbox("gateway")
    with made.running():
        yield made


@pytest.fixture(params=["gateway"])
def provider(request: pytest.FixtureRequest, server: GatewaySandbox) -> Iterator[GatewayProvider]:
    provider = GatewayProvider(RemoteClient("gateway", server.url, total_seconds=2.0))
    yield provider
    provider.close()


def call(
    key: str, amount: int = 1_000, behavior: str = "ok", reference: str = "", **payload: object
) -> PaymentCall:
    return PaymentCall(key, amount, "USD", reference or new_reference(5_000, behavior), payload)


def held(server: GatewaySandbox, reference: str) -> dict[str, object]:
    return server.store["authorizations"][reference]


class TestEveryProvider:
    def test_captures_once_per_key(self, provider, server):
        capture = call("capture:1")

        first, again = provider.capture(capture), provider.capture(capture)

        assert first.status == "done"
        assert first == again
        assert held(server, capture.authorization_reference)["captured"] == 1_000

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
        remote = RemoteClient("gateway", f"http://127.0.0.1:{unused_port}", total_seconds=1.0)
        provider = GatewayProvider(remote)

        answer = provider.capture(call("capture:1"))

        assert (answer.status, answer.code) == ("retry", "unreached")
        assert provider.find("capture:1").status == "unknown"

    def test_does_not_take_a_timeout_for_an_answer(self, provider, server):
        server.panel.set([Failure("slow", seconds=0.6)])
        remote = RemoteClient("gateway", server.url, total_seconds=0.2)

        answer = GatewayProvider(remote).capture(call("capture:1"))

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
        assert held(server, capture.authorization_reference)["captured"] == 1_000


class TestTheGateway:
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
            ("/v1/authorizations", b"not json", 400),
            ("/v1/authorizations", b"[]", 422),
        ],
    )
    def test_refuses_what_makes_no_sense(self, server, path, body, status):
        assert httpx.post(server.url + path, content=body).status_code == status

    def test_is_registered_with_the_port(self):
        assert isinstance(payments.provider("fakepay"), GatewayProvider)


class TestRenewal:
    def test_takes_over_what_is_left_for_another_term(self, provider, server):
        reference = provider.authorize(call("authorize:1", 5_000), "tok_ok").reference
        provider.capture(call("capture:1", 2_000, reference=reference))

        renewed = provider.renew(call("renew:1", 3_000, reference=reference))

        assert renewed.status == "done"
        assert renewed.reference != reference
        assert renewed.expires_at is not None
        late = server.clock.now() + timedelta(days=6, hours=23)
        assert renewed.expires_at > late
        gone, taken = (
            provider.capture(call(key, 3_000, reference=of))
            for key, of in (("capture:2", reference), ("capture:3", renewed.reference))
        )
        assert (gone.code, taken.status) == ("replaced", "done")
        # One payment: what either has taken can be given back through the last one.
        assert (
            provider.refund(call("refund:1", 5_000, reference=renewed.reference)).status == "done"
        )

    def test_lengthens_where_the_gateway_is_set_up_so(self, server):
        remote = RemoteClient("gateway", server.url)
        provider = GatewayProvider(remote, mode="incremental")
        reference = provider.authorize(call("authorize:1", 5_000), "tok_ok").reference
        provider.capture(call("capture:1", 2_000, reference=reference))

        renewed = provider.renew(call("renew:1", 3_000, reference=reference))

        assert (renewed.status, renewed.reference) == ("done", reference)
        assert provider.capture(call("capture:2", 3_000, reference=reference)).status == "done"
        provider.close()

    def test_is_made_of_the_card_on_file_once_the_term_has_passed(self, server):
        remote = RemoteClient("gateway", server.url)
        provider = GatewayProvider(remote, mode="incremental")
        reference = provider.authorize(call("authorize:1", 5_000), "tok_ok").reference
        server.tick_now(server.clock.now() + timedelta(days=8))

        renewed = provider.renew(call("renew:1", 5_000, reference=reference, ended=True))

        assert renewed.status == "done"
        taken = provider.capture(call("capture:1", 5_000, reference=renewed.reference))
        assert (taken.status, renewed.reference == reference) == ("done", False)
        provider.close()

    def test_is_declined_by_some_banks(self, provider):
        answer = provider.renew(call("renew:1", behavior="norenew"))

        assert (answer.status, answer.code) == ("refused", "renewal-declined")


class TestWhatTurnsOutLate:
    def test_is_unknown_until_it_has(self, provider, server):
        captures = {
            behavior: call(f"capture:{behavior}", behavior=behavior)
            for behavior in ("late", "latefail")
        }
        first = {how: provider.capture(one).status for how, one in captures.items()}
        before = {how: provider.find(one.key).code for how, one in captures.items()}

        server.tick_now(server.clock.now() + timedelta(hours=2))

        assert set(first.values()) == {"unknown"}
        assert set(before.values()) == {"pending"}
        after = {how: provider.find(one.key) for how, one in captures.items()}
        assert after["late"].status == "done"
        assert (after["latefail"].status, after["latefail"].code) == (
            "refused",
            "insufficient-funds",
        )
        types = [event["type"] for event in server.store["events"].values()]
        assert types == ["capture.succeeded", "capture.failed"]
        assert (
            server.store["payments"][captures["latefail"].authorization_reference]["captured"] == 0
        )

    def test_is_given_back_and_comes_back(self, provider, server):
        reference = provider.authorize(call("authorize:1", 5_000), "tok_bounce").reference
        provider.capture(call("capture:1", reference=reference))
        assert provider.refund(call("refund:1", reference=reference)).status == "done"

        server.tick_now(server.clock.now() + timedelta(days=3))

        assert server.store["payments"][reference]["refunded"] == 0
        assert [event["type"] for event in server.store["events"].values()] == ["refund.failed"]


class TestADispute:
    def test_keeps_refunds_back_and_takes_the_money_when_it_is_lost(self, provider, server):
        reference = provider.authorize(call("authorize:1", 5_000), "tok_dispute").reference
        provider.capture(call("capture:1", 2_000, reference=reference))
        server.tick_now(server.clock.now() + timedelta(days=11))
        [(dispute_id, dispute)] = server.store["disputes"].items()

        refused = provider.refund(call("refund:1", 500, reference=reference))
        said = httpx.post(f"{server.url}/_sandbox/disputes/{dispute_id}", json={"won": False})

        assert (dispute["amount"], refused.code) == (2_000, "charge-disputed")
        assert said.status_code == 200
        total = httpx.get(f"{server.url}/_sandbox/balances").json()["total"]
        assert total == {"captured": 2_000, "refunded": 0, "charged_back": 2_000}
        assert provider.refund(call("refund:2", 500, reference=reference)).code == "too-much"

    def test_follows_the_odds_the_same_at_each_replay(self):
        outcomes = []
        for _ in range(2):
            books = GatewaySandbox("gateway", seed=11)
            books.configure({"odds": {"nocapture": 0.3}})
            outcomes.append([books.falls(0.3, "nocapture", f"key-{n}") for n in range(40)])

        assert outcomes[0] == outcomes[1]
        assert 4 < sum(outcomes[0]) < 20


def test_an_authorization_ends_with_its_term(provider, server):
    reference = provider.authorize(call("authorize:1", 5_000), "tok_ok").reference

    server.tick_now(server.clock.now() + timedelta(days=8))

    assert provider.capture(call("capture:1", reference=reference)).code == payments.ENDED
    assert [event["type"] for event in server.store["events"].values()] == ["authorization.expired"]


@pytest.mark.django_db
class TestConformance(AdapterConformance):
    secrets = (TOKEN,)

    def simulator(self) -> GatewaySandbox:
        made = GatewaySandbox("gateway")
        made.configure({"api_key": TOKEN})
        return made

    def connected(self, simulator: GatewaySandbox) -> ConnectionRef:
        row = Connection.objects.for_scope(ALL_ACCOUNTS).filter(base_url=simulator.url).first()
        if row is not None:
            return connections.ref_of(row)
        account = AccountFactory()
        draft = ConnectionDraft(
            account.pk,
            "payments",
            "acme-pay",
            "gateway",
            "Acme Pay",
            base_url=simulator.url,
            settings={"timeout_seconds": 0.5},
            secrets={"access_token": TOKEN},
        )
        ref = services.define_connection(draft, at=NOON, actor=SYSTEM)
        return services.go_live(ref.id, at=NOON, actor=SYSTEM)

    def asks(self, simulator: GatewaySandbox, key: str) -> Answer:
        reference = f"auth_5000_ok_{key.replace('_', '-')}"
        asked = PaymentCall(key, 1_000, "USD", reference)
        return answered(provider_of(self.connected(simulator)).capture(asked))

    def looks_up(self, simulator: GatewaySandbox, key: str) -> Answer | None:
        found = provider_of(self.connected(simulator)).find(key)
        return None if found is None else answered(found)

    def effects(self, simulator: GatewaySandbox, key: str) -> int:
        return sum(
            one["kind"] == "capture" and one["key"] == key
            for one in simulator.store["operations"].values()
        )


@pytest.mark.django_db
def test_a_tender_names_the_connection_of_its_account(server):
    account, other = AccountFactory(), AccountFactory()
    draft = ConnectionDraft(
        account.pk, "payments", "acme-pay", "gateway", "Acme Pay", base_url=server.url
    )
    ref = services.define_connection(draft, at=NOON, actor=SYSTEM)
    capture = call("capture:1")

    listening = payments.provider("acme-pay", account.pk).capture(capture)
    services.go_live(ref.id, at=NOON, actor=SYSTEM)
    live = payments.provider("acme-pay", account.pk).capture(capture)
    foreign = payments.provider("acme-pay", other.pk).capture(capture)
    connections.forget()

    assert (listening.status, listening.asked) == ("retry", False)
    assert live.status == "done"
    assert foreign.code == "no-provider"


class TestNoProvider:
    @pytest.mark.parametrize("verb", ["capture", "void", "refund", "renew"])
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

        [line] = [record.getMessage() for record in caplog.records if "gateway" in record.message]
        assert line.startswith("remote call gateway POST /v1/authorizations/…/captures: 201 in ")

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
        client = RemoteClient("gateway", server.url)

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
def locked_out() -> Iterator[GatewayProvider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Turnstile)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    remote = RemoteClient("gateway", f"http://127.0.0.1:{server.server_address[1]}")
    provider = GatewayProvider(remote)
    yield provider
    provider.close()
    server.shutdown()
    server.server_close()
    thread.join()


class TestAProviderThatLetsNobodyIn:
    def test_has_refused_no_payment(self, locked_out: GatewayProvider) -> None:
        assert locked_out.capture(call("capture:1")).status == "retry"

    def test_says_nothing_of_an_earlier_one(self, locked_out: GatewayProvider) -> None:
        found = locked_out.find("capture:1")

        assert found is not None
        assert found.status == "unknown"
