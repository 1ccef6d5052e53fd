from collections.abc import Iterator

import pytest

from integrations import connections
from integrations.sandbox.gateway import GatewaySandbox
from orders import sourcing
from tests.books import check_all
from tests.factories.orders import NearestStock, Shop, shop


@pytest.fixture
def web(db: None) -> Iterator[Shop]:
    """A shop whose nearest stock is good enough; whatever a test does, its money adds up."""
    with sourcing.using(NearestStock()):
        yield shop()
    assert check_all(about="money.") == []


@pytest.fixture(scope="module")
def listening() -> Iterator[GatewaySandbox]:
    made = GatewaySandbox("gateway")
    with made.running():
        yield made


@pytest.fixture
def simulator(listening: GatewaySandbox) -> Iterator[GatewaySandbox]:
    """A gateway without a past."""
    listening.start_anew()
    yield listening
    connections.forget()
