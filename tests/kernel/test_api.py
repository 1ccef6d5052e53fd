"""What every call of the API gets: who it is, what it may, how often, and pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.kernel import authentication
from config.kernel.models import ApiKey
from config.kernel.services.access import revoke_api_key
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.factories.kernel import (
    AccountFactory,
    ApiKeyFactory,
    CaseFactory,
    GrantFactory,
    RoleFactory,
)
from tests.kernel.routes import client_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.urls("tests.kernel.routes"), pytest.mark.django_db]


@pytest.fixture
def key() -> Any:
    return ApiKeyFactory()


@pytest.fixture
def client(key: Any) -> APIClient:
    return client_of(key)


class TestApiKeyAuthentication:
    def test_names_the_key_as_the_actor(self, client: APIClient, key: Any) -> None:
        answer = client.get("/who")

        assert answer.json() == {
            "kind": "api_key",
            "name": key.prefix,
            "request": answer.headers["X-Request-ID"],
        }

    @pytest.mark.parametrize(
        "authorization", ["", "Bearer", "Bearer x", "Bearer sy_a_b", "Basic x", "Bearer sy_{}_x"]
    )
    def test_refuses_what_is_no_key(self, key: Any, authorization: str) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=authorization.format(key.prefix))

        answer = client.get("/who")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_refuses_revoked_and_expired_keys(self) -> None:
        assert client_of(ApiKeyFactory(revoked=True)).get("/who").status_code == 401
        assert client_of(ApiKeyFactory(expired=True)).get("/who").status_code == 401

    def test_ends_with_the_revocation(self, client: APIClient, key: Any) -> None:
        assert client.get("/who").status_code == 200
        revoke_api_key(key.pk, at=NOON, actor=Actor.system("tests"))

        assert client.get("/who").status_code == 401

    def test_ends_in_every_process_within_five_seconds(
        self, client: APIClient, key: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert client.get("/who").status_code == 200
        ApiKey.objects.for_scope(ALL_ACCOUNTS).filter(pk=key.pk).update(revoked_at=NOON)
        moment = authentication.time.monotonic()

        monkeypatch.setattr(authentication.time, "monotonic", lambda: moment + 5.001)
        assert client.get("/who").status_code == 401

    def test_ends_with_the_expiry_even_when_remembered(
        self, client: APIClient, key: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        soon = datetime.now(UTC) + timedelta(hours=1)
        ApiKey.objects.for_scope(ALL_ACCOUNTS).filter(pk=key.pk).update(expires_at=soon)
        assert client.get("/who").status_code == 200

        monkeypatch.setattr(authentication.clock, "now", lambda: soon)
        assert client.get("/who").status_code == 401

    def test_costs_no_statement_when_remembered(self, client: APIClient) -> None:
        client.get("/who")
        with CaptureQueriesContext(connection) as queries:
            client.get("/who")

        assert [q["sql"] for q in queries if "kernel_apikey" in q["sql"]] == []

    def test_notes_the_use_once_a_minute(self, client: APIClient, key: Any) -> None:
        client.get("/who")
        first = ApiKey.objects.for_scope(ALL_ACCOUNTS).get(pk=key.pk).last_used_at
        authentication.forget()
        client.get("/who")

        assert first is not None
        assert ApiKey.objects.for_scope(ALL_ACCOUNTS).get(pk=key.pk).last_used_at == first


class TestPermission:
    def test_needs_one_of_the_codes(self) -> None:
        assert client_of(ApiKeyFactory(scopes=["api.stock.write"])).get("/who").status_code == 403

    def test_lets_staff_use_the_same_view(self) -> None:
        client = APIClient()
        client.force_login(GrantFactory(role=RoleFactory(code="cs_agent")).user)

        assert client.get("/who").json()["kind"] == "user"


class TestThrottle:
    def test_counts_per_key_and_tells_what_is_left(self) -> None:
        client = client_of(ApiKeyFactory(requests_per_minute=2))
        first, second, third = (client.get("/who") for _ in range(3))

        if third.status_code == 200:  # the minute turned in between
            third = [client.get("/who") for _ in range(2)][-1]
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.headers["RateLimit-Policy"] == '"key";q=2;w=60'
        assert first.headers["RateLimit"].startswith('"key";r=1;t=')
        assert third.status_code == 429
        assert third.json()["code"] == "throttled"
        assert 1 <= int(third.headers["Retry-After"]) <= 60
        assert client_of(ApiKeyFactory()).get("/who").status_code == 200


class TestKeysetPages:
    @pytest.mark.parametrize("address", ["/cases", "/cases-by-due"])
    def test_show_every_row_once_in_order_without_a_count(
        self, client: APIClient, address: str
    ) -> None:
        account = AccountFactory()
        made = [
            CaseFactory(account=account, due_at=NOON + timedelta(hours=n // 2)) for n in range(7)
        ]
        expected = (
            [case.pk for case in reversed(made)]
            if address == "/cases"
            else [c.pk for c in sorted(made, key=lambda c: (c.due_at, -c.pk.int))]
        )

        seen: list[UUID] = []
        link: str | None = f"{address}?limit=3"
        with CaptureQueriesContext(connection) as queries:
            while link:
                answer = client.get(link)
                seen += [UUID(row["id"]) for row in answer.json()["results"]]
                link = answer.json()["next"]
        assert seen == expected
        assert not any("COUNT(" in query["sql"] for query in queries)

    def test_are_not_shifted_by_new_rows(self, client: APIClient) -> None:
        account = AccountFactory()
        made = CaseFactory.create_batch(4, account=account)
        first = client.get("/cases?limit=2").json()
        CaseFactory(account=account)
        second = client.get(first["next"]).json()

        seen = [row["id"] for row in first["results"] + second["results"]]
        assert seen == [str(case.pk) for case in reversed(made)]
        assert second["next"] is None

    @pytest.mark.parametrize("query", ["limit=0", "limit=251", "limit=x", "cursor=x", "cursor=W10"])
    def test_refuse_what_they_did_not_make(self, client: APIClient, query: str) -> None:
        answer = client.get(f"/cases?{query}")

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
