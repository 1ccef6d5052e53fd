from collections.abc import Iterator

import pytest

from orders import sourcing
from tests.factories.orders import NearestStock, Shop, shop


@pytest.fixture
def web(db: None) -> Iterator[Shop]:
    """A shop that writes to its buyers."""
    with sourcing.using(NearestStock()):
        yield shop()
