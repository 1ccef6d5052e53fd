"""Instants read from the database are what Django would have read."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.pq import Format

from config.kernel.instants import InstantLoader

pytestmark = pytest.mark.django_db

INSTANTS = st.datetimes(
    datetime(1, 1, 1),  # noqa: DTZ001  # the zone comes from `timezones`
    datetime(9999, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def read(text: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        return cursor.fetchone()[0]


def test_connections_use_it() -> None:
    oid = connection.connection.adapters.types["timestamptz"].oid

    assert connection.connection.adapters.get_loader(oid, Format.TEXT) is InstantLoader


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(instant=INSTANTS)
def test_an_instant_comes_back_in_utc_to_the_microsecond(instant: datetime) -> None:
    found = read(instant.isoformat())

    assert found == instant
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 00:00:00+00 BC", "12026-01-01 00:00+00"])
def test_what_python_has_no_word_for_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read(text)
