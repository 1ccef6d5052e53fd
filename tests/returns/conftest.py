"""Whatever a test does with what comes back, the books add up afterwards."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.books import check_all


@pytest.fixture(autouse=True)
def _books_add_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """After whatever wrote something; a machine alone has no books."""
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    request.getfixturevalue("db")
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
