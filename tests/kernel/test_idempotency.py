"""`Idempotency-Key`: one effect per key, and one answer."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.kernel import idempotency, ids
from config.kernel.errors import Conflict
from config.kernel.models import ExternalKey, IdempotencyKey
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

    def test_leaves_no_effect_when_it_dies_before_the_answer_is_kept(
        self, client: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Effects.writes = True
        with monkeypatch.context() as dying:
            dying.setattr(idempotency, "finish", lambda *_: 1 / 0)
            assert self.post(client).status_code == 500
        assert not ExternalKey.objects.exists()

        assert self.post(client).status_code == 201
        assert ExternalKey.objects.count() == 1

    def test_makes_no_effect_for_a_holder_that_was_overtaken(self, key: Any) -> None:
        slow = idempotency.begin(key.pk, "k", "f")
        assert isinstance(slow, idempotency.Proceed)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_idempotencykey SET lease_until = clock_timestamp()")
        idempotency.begin(key.pk, "k", "f")

        with pytest.raises(idempotency.InFlight):
            idempotency.once(slow, Effects.write, lambda _: None)

        assert not ExternalKey.objects.exists()

    def test_leaves_what_was_done_before_a_refusal(self, client: APIClient) -> None:
        Effects.writes, Effects.failure = True, Conflict("asked, and refused")

        assert self.post(client).status_code == 409

        assert ExternalKey.objects.count() == 1

    def test_costs_three_statements(self, client: APIClient) -> None:
        self.post(client, key="warm")
        with CaptureQueriesContext(connection) as queries:
            self.post(client)

        assert len([q for q in queries if "kernel_idempotencykey" in q["sql"]]) == 3


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

    def test_passes_on_with_the_ids_that_its_holder_was_making(self) -> None:
        first, second = ids.uuid7(), ids.uuid7()
        for made in ((first,), (second,)):
            asked = idempotency.Asked(self.credential, "k", "f", made)
            (right,) = idempotency.begin_all([asked])
            self.let_lapse()

        assert isinstance(right, idempotency.Proceed)
        assert right.made == {first}
        (third,) = idempotency.begin_all([asked])
        assert isinstance(third, idempotency.Proceed)
        assert third.made == {first, second}

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
