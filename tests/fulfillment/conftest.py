"""What tests of fulfillment share: counting statements."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def statements() -> Callable[[Callable[[], object]], int]:
    """Count the statements of a call, those of savepoints left out."""

    def count(call: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as seen:
            call()
        return sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)

    return count
