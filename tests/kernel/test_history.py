"""History rows: who, why, when and what, in one statement for any number of rows."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.history import Change, record
from config.kernel.models import Account, ApiKey, Case
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind
from tests.factories.kernel import AccountFactory, ApiKeyFactory, CaseFactory

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANNA = Actor(ActorKind.USER, "42", "anna", ALL_ACCOUNTS, correlation_id="request-1")


@pytest.mark.django_db
class TestRecord:
    def test_copies_the_row_with_actor_reason_and_both_times(self) -> None:
        account = AccountFactory(name="Northwind", settings={"tier": 1})

        record(Account, [account.pk], Change.CREATED, at=NOON, actor=ANNA, reason="opened")

        row = account.history.get()
        assert (row.name, row.settings, row.history_type) == ("Northwind", {"tier": 1}, "+")
        assert (row.actor_kind, row.actor_id, row.actor_name) == ("user", "42", "anna")
        assert (row.history_user, row.correlation_id) == ("anna", "request-1")
        assert (row.history_at, row.history_change_reason) == (NOON, "opened")
        assert abs((row.history_date - datetime.now(UTC)).total_seconds()) < 60

    def test_shows_what_changed_between_two_rows(self) -> None:
        account = AccountFactory(name="Old")
        record(Account, [account.pk], Change.CREATED, at=NOON, actor=ANNA)
        Account.objects.filter(pk=account.pk).update(name="New")
        record(Account, [account.pk], Change.CHANGED, at=NOON, actor=ANNA)

        newest, oldest = account.history.all()
        assert newest.diff_against(oldest).changed_fields == ["name"]

    def test_costs_one_statement_for_any_number_of_rows(self) -> None:
        accounts = AccountFactory.create_batch(30)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            record(Account, [a.pk for a in accounts], Change.CHANGED, at=NOON, actor=ANNA)

        assert len(queries) == 1
        assert Account.history.count() == 30

    def test_does_nothing_for_nothing(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            record(Account, [], Change.CHANGED, at=NOON, actor=ANNA)

        assert len(queries) == 0

    def test_is_the_only_way_a_row_comes_about(self) -> None:
        case = CaseFactory()
        case.save()
        case.delete()

        assert Case.history.count() == 0

    def test_leaves_secrets_out(self) -> None:
        key = ApiKeyFactory()

        record(ApiKey, [key.pk], Change.CREATED, at=NOON, actor=ANNA)

        assert "digest" not in {field.name for field in ApiKey.history.model._meta.fields}
