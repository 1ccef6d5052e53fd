"""A storm of one request: sixteen senders, one key, one order, one answer."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from config.kernel.models import IdempotencyKey
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order
from tests.books import check_all
from tests.factories.kernel import ApiKeyFactory
from tests.factories.routing import Network, a_network

pytestmark = pytest.mark.django_db(transaction=True)
WAYS, ROUNDS = 16, 5


def body(number: str) -> dict[str, Any]:
    return {
        "external_id": number,
        "customer": {"name": "Ada Buyer", "email": "ada@example.com"},
        "groups": [
            {
                "address": {
                    "name": "Ada Buyer",
                    "line1": "12 Main Street",
                    "city": "Albany",
                    "region": "NY",
                    "postal_code": "12207",
                    "country": "US",
                },
                "lines": [
                    {"external_id": "1", "sku_code": "TEE", "quantity": 1, "unit_price": "10.00"}
                ],
            }
        ],
        "tenders": [{"kind": "card", "collected_by": "channel", "amount_minor": 1000}],
        "totals": {"total_minor": 1000},
    }


@pytest.fixture
def network() -> Network:
    network = a_network()
    network.stock("TEE", NEWARK=100)
    return network


def storm(secret: str, bodies: list[dict[str, Any]], key: str) -> list[Any]:
    """Post the bodies at the same instant under one key; the answers."""
    start = threading.Barrier(len(bodies))

    def post(sent: dict[str, Any]) -> Any:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        try:
            start.wait()
            return client.post("/api/v1/orders", sent, headers={"Idempotency-Key": key})
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, bodies))


def test_one_key_has_one_effect_and_one_answer(network: Network) -> None:
    secret = ApiKeyFactory(account=network.account, channel=network.channel).secret

    for number in range(ROUNDS):
        answers = storm(secret, [body(f"W-{number}")] * WAYS, f"k-{number}")
        later = storm(secret, [body(f"W-{number}")], f"k-{number}")

        codes = Counter(answer.status_code for answer in answers)
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert set(codes) <= {201, 409}
        assert len(made) == 1
        assert (later[0].status_code, later[0].json()["id"]) == (201, *made)
        assert later[0].headers["Idempotent-Replayed"] == "true"
    assert Order.objects.for_scope(ALL_ACCOUNTS).count() == ROUNDS
    assert IdempotencyKey.objects.count() == ROUNDS
    assert check_all() == []


def test_one_key_with_different_bodies_has_the_effect_of_one_of_them(network: Network) -> None:
    secret = ApiKeyFactory(account=network.account, channel=network.channel).secret

    answers = storm(secret, [body(f"W-{number}") for number in range(WAYS)], "k-1")

    codes = Counter(answer.status_code for answer in answers)
    assert codes[201] == 1
    assert set(codes) <= {201, 409, 422}
    assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1


def test_different_keys_for_one_order_are_answered_with_the_first(network: Network) -> None:
    secret = ApiKeyFactory(account=network.account, channel=network.channel).secret
    start = threading.Barrier(WAYS)

    def post(number: int) -> Any:
        start.wait()
        return storm(secret, [body("W-1")], f"k-{number}")[0]

    with ThreadPoolExecutor(WAYS) as pool:
        answers = list(pool.map(post, range(WAYS)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1
