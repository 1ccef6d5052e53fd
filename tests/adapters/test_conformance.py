"""The conformance suite holds of an adapter that does as it should, and finds one that does not."""

import pytest

from config.kernel.services.intents import Answer, AnswerKind
from config.kernel.types import ALL_ACCOUNTS
from integrations import connections
from integrations.connections import ConnectionRef
from integrations.http import Busy, OutcomeUnknown, Unreached
from integrations.models import Connection
from integrations.sandbox import credentials
from integrations.sandbox.box import Reply, Request, Simulator, route
from integrations.sandbox.panel import Failure
from tests.adapters.conformance import AdapterConformance
from tests.factories.integrations import a_connection
from tests.factories.kernel import ChannelFactory

TOKEN = "canary-access-token"


class Depot(Simulator):
    """Takes parcels in, each once by its key."""

    @route("PUT", "/parcels/{key}")
    def take(self, request: Request) -> Reply:
        key = request.params["key"]
        known = self.store["parcels"]
        if key not in known:
            known[key] = 1
        return 200, {"key": key}

    @route("POST", "/parcels")
    def add(self, request: Request) -> Reply:
        key = request.json["key"]
        self.store["parcels"][key] = self.store["parcels"].get(key, 0) + 1
        return 201, {"key": key}

    @route("GET", "/parcels/{key}")
    def read(self, request: Request) -> Reply:
        return (200, {}) if request.params["key"] in self.store["parcels"] else (404, {})


def connected(simulator: Simulator) -> ConnectionRef:
    row = Connection.objects.for_scope(ALL_ACCOUNTS).filter(base_url=simulator.url).first()
    if row is not None:
        return connections.ref_of(row)
    return a_connection(
        ChannelFactory(),
        "depot",
        live=True,
        base_url=simulator.url,
        settings={"timeout_seconds": 0.5},
        secrets={"access_token": TOKEN},
    )


def told(simulator: Simulator, method: str, path: str, **words: object) -> Answer | None:
    try:
        answer = connections.client(connected(simulator)).send(method, path, **words)
    except Busy as busy:
        return Answer.retry(str(busy), after_seconds=busy.after_seconds, asked=False)
    except Unreached as lost:
        return Answer.retry(str(lost))
    except OutcomeUnknown as lost:
        return Answer.unknown(str(lost))
    if answer.status == 404:
        return None
    return Answer.done() if answer.ok else Answer.refused(str(answer.status))


@pytest.mark.django_db
class TestAnAdapterThatDoesAsItShould(AdapterConformance):
    secrets = (TOKEN,)

    def simulator(self) -> Simulator:
        made = Depot("depot")
        made.require(credentials.bearer(TOKEN))
        return made

    def asks(self, simulator: Simulator, key: str) -> Answer:
        answer = told(simulator, "PUT", f"/parcels/{key}", json={})
        assert answer is not None
        return answer

    def looks_up(self, simulator: Simulator, key: str) -> Answer | None:
        return told(simulator, "GET", f"/parcels/{key}")

    def effects(self, simulator: Simulator, key: str) -> int:
        return int(simulator.store["parcels"].get(key, 0))


class Careless(TestAnAdapterThatDoesAsItShould):
    """Repeats without looking and without a key."""

    __test__ = False

    def asks(self, simulator: Simulator, key: str) -> Answer:
        answer = told(simulator, "POST", "/parcels", json={"key": key})
        assert answer is not None
        return answer

    def looks_up(self, simulator: Simulator, key: str) -> Answer | None:
        return None


@pytest.mark.django_db
def test_an_adapter_that_repeats_itself_is_found():
    careless = Careless()
    with careless.simulator().running() as depot:
        depot.panel.set([Failure("server_error", share=0.7)])
        for n in range(8):
            assert careless.settles(depot, f"key-{n}").kind is AnswerKind.DONE
        counts = [careless.effects(depot, f"key-{n}") for n in range(8)]
    connections.forget()

    assert max(counts) > 1
