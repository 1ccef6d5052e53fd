"""Statements planned once per connection, and only where it was asked for."""

import pytest
from django.db import connection

from config.kernel.prepared import planned_once

ASKED = "SELECT 40 + %s::int AS planned_once"


def planned() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
            ["SELECT 40 + %planned_once"],
        )
        return int(cursor.fetchone()[0])


def ask(times: int) -> list[int]:
    answers = []
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute(ASKED, [2])
            answers.append(cursor.fetchone()[0])
    return answers


@pytest.mark.django_db(transaction=True)
class TestPlannedOnce:
    @pytest.fixture(autouse=True)
    def _new_connection(self, transactional_db: None) -> None:
        connection.close()

    def test_plans_once_what_comes_again_and_again(self) -> None:
        with planned_once():
            assert ask(6) == [42] * 6
            assert planned() == 1

    def test_plans_anew_what_comes_outside(self) -> None:
        with planned_once():
            pass

        assert ask(6) == [42] * 6
        assert planned() == 0

    def test_plans_anew_behind_a_pooler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)

        with planned_once():
            assert ask(6) == [42] * 6
            assert planned() == 0
