"""What every call of the API gets: who it is, how often, problems, pages, one effect per key."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.http import Http404, HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import path
from psycopg.errors import DeadlockDetected, DiskFull, LockNotAvailable
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from config.kernel import authentication, idempotency, ids
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, IllegalTransition, Invalid
from config.kernel.idempotency import idempotent
from config.kernel.models import ApiKey, Case, IdempotencyKey
from config.kernel.permissions import needs
from config.kernel.services.access import revoke_api_key
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.factories.kernel import (
    AccountFactory,
    ApiKeyFactory,
    CaseFactory,
    GrantFactory,
    RoleFactory,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class LineInput(serializers.Serializer[Any]):
    sku = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)


class OrderInput(serializers.Serializer[Any]):
    number = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)
    lines = LineInput(many=True)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["number"] == "13":
            raise serializers.ValidationError("An unlucky number.", code="unlucky")
        return values


class Who(APIView):
    permission_classes = [needs("orders.view", "api.orders.read")]

    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        return Response({"kind": actor.kind, "name": actor.name, "request": actor.correlation_id})


class Effects:
    """Counts what the guarded view did; fails when told to."""

    count = 0
    failure: Exception | None = None
    status = 201
    meanwhile: Any = None


class Act(APIView):
    @idempotent
    def post(self, request: Request) -> Response:
        if Effects.meanwhile is not None:
            Effects.meanwhile()
        if Effects.failure is not None:
            raise Effects.failure
        Effects.count += 1
        return Response({"n": Effects.count, "got": request.data}, status=Effects.status)


class Validate(APIView):
    def post(self, request: Request) -> Response:
        OrderInput(data=request.data).is_valid(raise_exception=True)
        return Response({})


class Fail(APIView):
    def get(self, request: Request) -> HttpResponse:
        raise Effects.failure or AssertionError


class CaseRow(serializers.ModelSerializer[Case]):
    class Meta:
        model = Case
        fields = ["id", "number"]


class Cases(ListAPIView[Case]):
    serializer_class = CaseRow

    def get_queryset(self) -> Any:
        return Case.objects.for_scope(ALL_ACCOUNTS)


class CasesByDue(Cases):
    keyset_order = ("due_at", "-id")


urlpatterns = [
    path("who", Who.as_view()),
    path("act", Act.as_view()),
    path("validate", Validate.as_view()),
    path("fail", Fail.as_view()),
    path("cases", Cases.as_view()),
    path("cases-by-due", CasesByDue.as_view()),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    authentication.forget()
    Effects.count, Effects.failure, Effects.status, Effects.meanwhile = 0, None, 201, None
    yield
    authentication.forget()


def client_of(key: Any) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


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

        assert answer.status_code == 400
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


class TestIdempotencyKey:
    def post(self, client: APIClient, body: Any = None, key: str = "k-1") -> Any:
        return client.post("/act", body or {"a": 1}, headers={"Idempotency-Key": key})

    def test_makes_the_effect_once_and_replays_the_answer(self, client: APIClient) -> None:
        first, second = self.post(client), self.post(client)

        assert Effects.count == 1
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second.headers["Content-Type"] == "application/json"
        assert second.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers

    def test_refuses_another_body(self, client: APIClient) -> None:
        self.post(client)
        answer = self.post(client, {"a": 2})

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
        assert Effects.count == 1

    def test_refuses_while_the_first_is_running(self, client: APIClient, key: Any) -> None:
        answers: list[Any] = []
        Effects.meanwhile = lambda: (
            setattr(Effects, "meanwhile", None),
            answers.append(self.post(client_of(key))),
        )
        first = self.post(client)

        assert first.status_code == 201
        assert (answers[0].status_code, answers[0].json()["code"]) == (
            409,
            "idempotency-in-flight",
        )
        assert Effects.count == 1

    def test_belongs_to_its_credential(self, client: APIClient) -> None:
        self.post(client)
        other = self.post(client_of(ApiKeyFactory()))

        assert other.status_code == 201
        assert Effects.count == 2

    def test_tells_keys_apart(self, client: APIClient) -> None:
        self.post(client, key="k-1")
        self.post(client, key="k-2")

        assert Effects.count == 2

    def test_is_free_again_after_a_refusal_or_a_fault(self, client: APIClient) -> None:
        for failure, status in ((Conflict("not now"), 409), (RuntimeError("fault"), 500)):
            Effects.failure = failure
            assert self.post(client).status_code == status
            Effects.failure = None
        assert not IdempotencyKey.objects.exists()

        assert self.post(client).status_code == 201

    def test_stores_no_server_error(self, client: APIClient) -> None:
        Effects.status = 503
        self.post(client)
        Effects.status = 201

        assert self.post(client).status_code == 201
        assert Effects.count == 2

    def test_may_be_left_out(self, client: APIClient) -> None:
        client.post("/act", {})
        client.post("/act", {})

        assert Effects.count == 2

    @pytest.mark.parametrize("bad", ["x" * 256, "a\x01b"])
    def test_has_a_sane_shape(self, client: APIClient, bad: str) -> None:
        assert self.post(client, key=bad).status_code == 422

    def test_costs_two_statements(self, client: APIClient) -> None:
        self.post(client, key="warm")
        with CaptureQueriesContext(connection) as queries:
            self.post(client)

        assert len([q for q in queries if "kernel_idempotencykey" in q["sql"]]) == 2


class TestIdempotencyLease:
    credential = UUID(int=1)

    def let_lapse(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_idempotencykey SET lease_until = clock_timestamp()")

    def test_passes_on_when_its_holder_died(self) -> None:
        died = idempotency.begin(self.credential, "k", "f")
        self.let_lapse()
        heir = idempotency.begin(self.credential, "k", "f")

        assert isinstance(died, idempotency.Proceed)
        assert isinstance(heir, idempotency.Proceed)
        assert heir.token == died.token + 1

    def test_fences_a_holder_that_was_overtaken(self) -> None:
        slow = idempotency.begin(self.credential, "k", "f")
        self.let_lapse()
        heir = idempotency.begin(self.credential, "k", "f")
        assert isinstance(slow, idempotency.Proceed)
        assert isinstance(heir, idempotency.Proceed)

        idempotency.finish(slow, idempotency.Stored(200, b"slow", "text/plain"))
        idempotency.give_up(slow)
        idempotency.finish(heir, idempotency.Stored(200, b"heir", "text/plain"), [ids.uuid7()])
        assert idempotency.begin(self.credential, "k", "f") == idempotency.Stored(
            200, b"heir", "text/plain"
        )

    def test_does_not_pass_to_a_different_request(self) -> None:
        idempotency.begin(self.credential, "k", "f")
        self.let_lapse()

        with pytest.raises(idempotency.KeyReused):
            idempotency.begin(self.credential, "k", "other")

    def test_is_kept_for_seven_days(self) -> None:
        for age in ("6 days", "8 days"):
            idempotency.begin(self.credential, age, "f")
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE kernel_idempotencykey SET recorded_at = clock_timestamp() - %s::interval"
                    " WHERE key = %s",
                    [age, age],
                )

        assert idempotency.remove_old() == 1
        assert IdempotencyKey.objects.get().key == "6 days"
