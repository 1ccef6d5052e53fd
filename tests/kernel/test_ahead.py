"""Statements sent ahead: heard of at the end of their block, with whatever went wrong."""

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from config.kernel.ahead import check_all, check_with_each, hand_over, sending_ahead, when_answered

pytestmark = pytest.mark.django_db

BEYOND_THE_SOCKET = "x" * 1_000_000


class TestSendingAhead:
    def test_calls_checks_at_its_end(self) -> None:
        said: list[str] = []

        with sending_ahead():
            when_answered(lambda: said.append("answered"))
            said.append("goes on")

        assert said == ["goes on", "answered"]

    def test_raises_what_went_wrong_as_django_does(self) -> None:
        with (
            pytest.raises(DataError, match="division by zero"),
            transaction.atomic(),
            sending_ahead(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1 / 0")

    def test_answers_what_is_read(self) -> None:
        with sending_ahead(), connection.cursor() as cursor:
            cursor.execute("SELECT 6 * 7")

            assert cursor.fetchall() == [(42,)]

    def test_hands_over_what_is_longer_than_the_socket_holds(self) -> None:
        with sending_ahead(), connection.cursor() as cursor:
            cursor.execute("SELECT length(%s)", [BEYOND_THE_SOCKET])
            hand_over()

            assert cursor.fetchall() == [(len(BEYOND_THE_SOCKET),)]

    def test_leaves_the_connection_as_it_was(self) -> None:
        with sending_ahead(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

        with connection.cursor() as cursor:
            cursor.execute("SELECT 2")
            assert cursor.fetchone() == (2,)


def _refer_to_nothing(cursor: CursorWrapper) -> None:
    with sending_ahead():
        check_with_each(["taker"], but="comes_last")
        cursor.execute("INSERT INTO taker (giver) VALUES (1)")


class TestCheckWithEach:
    def test_checks_references_with_their_statement_but_those_to_rows_that_come_last(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE giver (id integer PRIMARY KEY)")
            cursor.execute("CREATE TEMPORARY TABLE comes_last (id integer PRIMARY KEY)")
            cursor.execute(
                "CREATE TEMPORARY TABLE taker ("
                "giver integer REFERENCES giver DEFERRABLE INITIALLY DEFERRED, "
                "later integer REFERENCES comes_last DEFERRABLE INITIALLY DEFERRED)"
            )
            with sending_ahead():
                check_with_each(["taker"], but="comes_last")
                cursor.execute("INSERT INTO taker (later) VALUES (1)")
                cursor.execute("INSERT INTO comes_last VALUES (1)")
                check_all()
            with pytest.raises(IntegrityError, match="taker_giver_fkey"), transaction.atomic():
                _refer_to_nothing(cursor)


class TestWhenAnswered:
    def test_checks_at_once_outside(self) -> None:
        said: list[str] = []

        when_answered(lambda: said.append("answered"))

        assert said == ["answered"]


@pytest.mark.django_db(transaction=True)
def test_is_refused_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError), sending_ahead():
        pass
