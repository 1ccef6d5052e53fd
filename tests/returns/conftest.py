"""Whatever a test does with what comes back, the books add up afterwards."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.invariants import check_all


@pytest.fixture(autouse=True)
def _books_add_up(db: None) -> Iterator[None]:
    yield
    assert check_all() == []


@pytest.fixture
def statements() -> Callable[[Callable[[], object]], int]:
    """How many statements something costs, savepoints left out."""

    def count(act: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as caught:
            act()
        return sum("SAVEPOINT" not in one["sql"] for one in caught.captured_queries)

    return count
