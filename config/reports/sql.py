"""Running a read: rows as mappings, always within a scope."""

import json
from collections.abc import Mapping
from typing import Any, Final

from django.db import connection

from config.kernel.types import Scope

Row = dict[str, Any]

_JSONB: Final = 3802
"""PostgreSQL's own number of the type `jsonb`."""

OPEN_PROGRESS: Final = (
    "waiting",
    "backordered",
    "partly_reserved",
    "reserved",
    "partly_released",
    "released",
    "partly_shipped",
)
"""The progress of orders that still have units in the house."""


def rows(query: str, values: Mapping[str, Any]) -> list[Row]:
    """Every row of the query, by column name."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        columns = list(cursor.description or ())
        found = [
            dict(zip((column.name for column in columns), row, strict=True))
            for row in cursor.fetchall()
        ]
    # Django leaves jsonb to its own fields, so that a bare cursor hands it out as text.
    for name in [column.name for column in columns if column.type_code == _JSONB]:
        for each in found:
            each[name] = json.loads(each[name]) if each[name] is not None else None
    return found


def row(query: str, values: Mapping[str, Any]) -> Row | None:
    """The first row, or None."""
    found = rows(query, values)
    return found[0] if found else None


def within(scope: Scope, alias: str, column: str = "account_id") -> str:
    """The condition that keeps a table to the scope; its values come from `reach(scope)`.

    One account is compared by `=`, so that an index on (account, id) also gives the order.
    """
    if scope.everything:
        return "true"
    if len(scope.account_ids) == 1:
        return f"{alias}.{column} = %(account)s"
    return f"{alias}.{column} = ANY(%(accounts)s)"


def reach(scope: Scope) -> Row:
    """The values that `within` refers to."""
    accounts = sorted(scope.account_ids)
    return {"accounts": accounts, "account": accounts[0] if accounts else None}


def escaped(text: str) -> str:
    """Text for a LIKE pattern, taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
