from collections.abc import Iterator

import pytest

from orders import sourcing
from tests.books import check_all
from tests.factories.orders import NearestStock, Shop, shop


@pytest.fixture
def nearest() -> Iterator[NearestStock]:
    """Orders alone: the nearest stock is good enough."""
    implementation = NearestStock()
    with sourcing.using(implementation):
        yield implementation


@pytest.fixture
def web(db: None, nearest: NearestStock) -> Iterator[Shop]:
    """A shop; whatever a test does with it, the books add up afterwards."""
    yield shop()
    # No node works here, so what fulfillment would have to show for units is not asked.
    assert [one for one in check_all() if not one.code.startswith("fulfillment.")] == []
