"""Problems: what went wrong, in one shape for every call."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from psycopg.errors import DeadlockDetected, DiskFull, LockNotAvailable
from rest_framework.test import APIClient

from config.kernel.errors import Conflict, IllegalTransition, Invalid
from tests.factories.kernel import ApiKeyFactory
from tests.kernel.routes import Effects, client_of

pytestmark = [pytest.mark.urls("tests.kernel.routes"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Effects.forget()


@pytest.fixture
def key() -> Any:
    return ApiKeyFactory()


@pytest.fixture
def client(key: Any) -> APIClient:
    return client_of(key)


class TestProblems:
    def get(self, client: APIClient, failure: Exception) -> Any:
        Effects.failure = failure
        return client.get("/fail")

    def test_carry_code_title_detail_extras_and_request_id(self, client: APIClient) -> None:
        answer = self.get(client, IllegalTransition("Order cannot ship now.", allowed=["cancel"]))

        assert answer.status_code == 409
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json() == {
            "type": "/problems/illegal-transition",
            "title": "Not possible in the present state",
            "status": 409,
            "code": "illegal-transition",
            "detail": "Order cannot ship now.",
            "allowed": ["cancel"],
            "request_id": answer.headers["X-Request-ID"],
        }

    @pytest.mark.parametrize("cause", [LockNotAvailable, DeadlockDetected])
    def test_ask_to_come_back_when_a_lock_was_not_had(
        self, client: APIClient, cause: type[Exception]
    ) -> None:
        failure = OperationalError("canceling statement")
        failure.__cause__ = cause()
        answer = self.get(client, failure)

        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert answer.headers["Retry-After"] == "1"

    def test_do_not_hide_other_faults_of_the_database(self, client: APIClient) -> None:
        failure = OperationalError("disk full")
        failure.__cause__ = DiskFull()

        assert self.get(client, failure).status_code == 500

    @pytest.mark.parametrize(
        ("failure", "status", "code"),
        [
            (Http404(), 404, "not-found"),
            (PermissionDenied(), 403, "forbidden"),
            (Conflict("no"), 409, "conflict"),
            (Invalid("no"), 422, "invalid"),
        ],
    )
    def test_have_one_shape_for_all(
        self, client: APIClient, failure: Exception, status: int, code: str
    ) -> None:
        answer = self.get(client, failure)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert {"type", "title", "status", "code", "detail", "request_id"} <= set(answer.json())

    def test_name_every_error_with_a_pointer(self, client: APIClient) -> None:
        answer = client.post(
            "/validate",
            {"tags": ["ok", "too long"], "lines": [{"sku": "A", "quantity": 1}, {"quantity": 0}]},
        )

        assert answer.status_code == 422
        errors = {(e["pointer"], e["code"]) for e in answer.json()["errors"]}
        assert errors == {
            ("/number", "required"),
            ("/tags/1", "max-length"),
            ("/lines/1/sku", "required"),
            ("/lines/1/quantity", "min-value"),
        }
        assert answer.json()["detail"] == "The request has 4 errors."

    def test_point_to_the_whole_for_an_error_of_the_whole(self, client: APIClient) -> None:
        answer = client.post("/validate", {"number": "13", "lines": []})

        assert answer.json()["errors"] == [
            {"pointer": "", "code": "unlucky", "detail": "An unlucky number."}
        ]

    def test_answer_what_cannot_be_parsed(self, client: APIClient) -> None:
        answer = client.post("/validate", data="{", content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "parse-error")

    def test_answer_a_wrong_method(self, client: APIClient) -> None:
        assert client.put("/validate", {}).json()["code"] == "method-not-allowed"
