"""Orders with the real sourcing: the statement budget of the API, the same for one and for fifty."""

from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order, OrderLine, Promise
from orders.services import serve_backorders
from routing.selectors import decisions_of
from routing.services import seed_policies
from tests.books import check_all
from tests.factories.kernel import NOON, ApiKeyFactory
from tests.factories.orders import ANNA
from tests.factories.routing import Network, a_network
from tests.orders.test_api import URL, body

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]
BUDGET = 30


@pytest.fixture
def network() -> Network:
    made = a_network()
    for sku in ("TEE", "CAP", "MUG"):
        made.stock(sku, RENO=500, COLUMBUS=500)
    seed_policies(made.account.pk, at=NOON, actor=ANNA)
    return made


def client_of(network: Network) -> APIClient:
    key = ApiKeyFactory(account=network.account, channel=network.channel)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def posted(client: APIClient, path: str, sent: object) -> tuple[int, list[str]]:
    """The status of the answer, and the statements that it took."""
    with CaptureQueriesContext(connection) as context:
        answer = client.post(path, sent, format="json", HTTP_IDEMPOTENCY_KEY=f"{path}-{id(sent)}")
    return answer.status_code, [str(query["sql"])[:100] for query in context.captured_queries]


def bodies(count: int, prefix: str) -> Sequence[dict[str, object]]:
    return [body("TEE", "CAP", "MUG", external_id=f"{prefix}-{number}") for number in range(count)]


@pytest.mark.django_db(transaction=True)
def test_one_order_of_three_lines_takes_at_most_thirty_statements(network: Network) -> None:
    """Transactions of its own: what is counted are their BEGIN and COMMIT, and no savepoints."""
    client = client_of(network)
    for prefix in ("geography", "key"):  # read once per process, and every few seconds
        posted(client, URL, bodies(1, prefix)[0])

    status, statements = posted(client, URL, bodies(1, "one")[0])

    assert status == 201
    assert statements.count("BEGIN") == statements.count("COMMIT") == 2
    assert len(statements) <= BUDGET, "\n".join(statements)
    reserved = OrderLine.objects.for_scope(ALL_ACCOUNTS).values_list("reserved", flat=True)
    assert set(reserved) == {1}
    assert check_all() == []


def test_what_came_in_for_a_backorder_is_decided_and_promised(network: Network) -> None:
    network.stock("HAT", RENO=1)
    client_of(network).post(URL, body("HAT", "HAT", external_id="W-1"), format="json")
    network.stock("HAT", COLUMBUS=4)
    order = Order.objects.for_scope(ALL_ACCOUNTS).get()

    assert serve_backorders([network.skus["HAT"]], at=NOON, actor=ANNA) == 1

    promises = Promise.objects.for_scope(ALL_ACCOUNTS).filter(order=order).order_by("version")
    assert [promise.cause for promise in promises] == ["accept", "resource"]
    first, second = decisions_of(order.pk, ALL_ACCOUNTS)
    assert "COLUMBUS" in str(first) + str(second)
    assert check_all() == []


def test_statements_do_not_grow_with_the_orders(network: Network) -> None:
    client = client_of(network)
    for prefix in ("geography", "key"):
        posted(client, URL, bodies(1, prefix)[0])

    _, one = posted(client, f"{URL}/bulk", {"orders": bodies(1, "one")})
    _, forty = posted(client, f"{URL}/bulk", {"orders": bodies(40, "forty")})
    _, fifty = posted(client, f"{URL}/bulk", {"orders": bodies(50, "fifty")})

    # What few orders want is taken in one statement, and what many want in three.
    assert len(one) < len(forty) == len(fifty) <= BUDGET
