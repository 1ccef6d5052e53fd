"""Lists sent as arrays come back as they were, whatever stands in them."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, DataError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from config.kernel.arrays import QuickListDumper


class Scale(StrEnum):
    LARGE = "large"


KINDS = {
    "uuid[]": st.uuids(),
    "bigint[]": st.integers(-(2**63), 2**63 - 1),
    "boolean[]": st.booleans(),
    "bytea[]": st.binary(max_size=40),
    "date[]": st.dates(),
    "numeric[]": st.decimals(allow_nan=False, allow_infinity=False, places=6),
    "text[]": st.text(
        st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40
    )
    | st.sampled_from(["", "NULL", "null", " ", '"', "\\", "{}", "a,b", "\\x41", "'", "é\u2003"]),
    "timestamptz[]": st.datetimes(
        datetime(1900, 1, 1),  # noqa: DTZ001  # the zone comes from `timezones`
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=-30))]),
    ),
}


def echoed(kind: str, values: list[object]) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}", [values])
        return [bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()[0]]


@pytest.mark.django_db
class TestArrays:
    @pytest.mark.parametrize("kind", KINDS)
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(drawn=st.data())
    def test_come_back_as_they_were(self, kind, drawn):
        values = drawn.draw(st.lists(st.none() | KINDS[kind], max_size=8))
        assert echoed(kind, values) == values

    def test_carry_json_documents(self):
        values = [{"a": 'quote " and \\ and é', "b": [1, None, True]}, [1], "text", None]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_jsonb(%s::jsonb[])::text", [[value and Jsonb(value) for value in values]]
            )
            assert json.loads(cursor.fetchone()[0]) == values

    def test_refuse_a_nul_as_psycopg_does(self):
        with pytest.raises(DataError, match="NUL"):
            echoed("text[]", ["a\x00b"])

    def test_leave_mixed_and_nested_lists_to_psycopg(self):
        assert echoed("int[]", [[1, 2], [3, 4]]) == [[1, 2], [3, 4]]
        with pytest.raises(DatabaseError, match="mixed"):
            echoed("text[]", ["1", 2])

    def test_write_members_of_a_text_enumeration_as_their_values(self):
        assert echoed("text[]", [Scale.LARGE, "small", None]) == ["large", "small", None]
        assert echoed("text[]", [Scale.LARGE]) == ["large"]

    def test_may_hold_nothing_but_nulls(self):
        assert echoed("uuid[]", [None, None]) == [None, None]
        assert echoed("uuid[]", []) == []

    def test_are_written_by_every_connection(self):
        with connection.cursor() as cursor:
            known = cursor.connection.adapters.get_dumper(list, psycopg.adapt.PyFormat.TEXT)
        assert known is QuickListDumper
        assert UUID(int=0) in echoed("uuid[]", [UUID(int=0)])
        assert echoed("numeric[]", [Decimal("1.50")]) == [Decimal("1.50")]
        assert echoed("date[]", [date(2026, 1, 2)]) == [date(2026, 1, 2)]
