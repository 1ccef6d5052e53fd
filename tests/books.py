"""The invariants as hundreds of tests ask them after themselves: planned once per process.

PostgreSQL plans a hundred queries over partitions in a tenth of a second and answers them in a
hundredth. A function of the test database holds the plans.
"""

from collections import defaultdict
from functools import cache
from typing import Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from config.invariants import Violation, check, invariants, walls

_FUNCTION: Final = "broken_invariants"
_CHILDREN: Final = "accounts.children"
"""A union over two hundred joins: most of them of empty tables."""


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
    """Make the function. What belongs together is asked of the tables that hold anything."""
    children = defaultdict(list)
    for table, look in walls.children():
        children[table].append(look.format(account="true"))
    looks = [
        f"IF starts_with('{_CHILDREN}', about) AND EXISTS (SELECT FROM {table}) THEN"
        f" IF EXISTS ({' UNION ALL '.join(each)}) THEN RETURN NEXT '{_CHILDREN}'; END IF; END IF;"
        for table, each in children.items()
    ]
    looks += [
        f"IF starts_with('{known.code}', about) THEN"
        f" IF EXISTS ({known.sql}) THEN RETURN NEXT '{known.code}'; END IF; END IF;"
        for known in invariants()
        if known.sql and known.code != _CHILDREN
    ]
    define(
        connection,
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}(about text) RETURNS SETOF text"
        f" STABLE LANGUAGE plpgsql AS $body$ BEGIN {' '.join(looks)} END $body$",
    )


def define(connection: BaseDatabaseWrapper, function: str) -> None:
    """Make a function of the test database, outside what a test rolls back."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(function)
    finally:
        other.close()
