"""The invariants as hundreds of tests ask them after themselves: planned once per process.

PostgreSQL plans a hundred queries over partitions in a tenth of a second and answers them in a
hundredth. A function of the test database holds the plans.
"""

from functools import cache
from typing import Final

from django.db import connection

from config.invariants import Violation, check, invariants

_FUNCTION: Final = "broken_invariants"


def check_all(*, about: str = "") -> list[Violation]:
    """What `config.invariants.check_all` says. It is asked itself where something is found."""
    _define(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT code FROM {_FUNCTION}(%s) AS code", [about])  # noqa: S608  # own name
        broken = {code for (code,) in cursor.fetchall()}
    asked = [known for known in invariants() if known.code.startswith(about)]
    return check([known for known in asked if known.code in broken or not known.sql])


@cache
def _define(database: str) -> None:
    """Make the function, on a connection of its own: no test's rollback takes it away."""
    looks = "\n".join(
        f"IF starts_with('{known.code}', about) THEN"
        f" IF EXISTS ({known.sql}) THEN RETURN NEXT '{known.code}'; END IF; END IF;"
        for known in invariants()
        if known.sql
    )
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}(about text) RETURNS SETOF text"
                f" STABLE LANGUAGE plpgsql AS $body$ BEGIN {looks} END $body$"
            )
    finally:
        other.close()
