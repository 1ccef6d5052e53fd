"""Pages by key, never by number: as quick on page 10,000 as on page 1, and no COUNT.

A cursor names the last row seen. Rows that appear or go meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from config.kernel.errors import Invalid

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 250


def encode(values: Sequence[Any]) -> str:
    """Make an opaque cursor of a row's key values (UUID, integer, text, time)."""
    plain = [_plain(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str, length: int) -> list[Any]:
    """Read a cursor of `length` values. Raises Invalid for one that we did not make."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = [_typed(item) for item in json.loads(base64.urlsafe_b64decode(padded))]
    except (ValueError, TypeError, KeyError, binascii.Error):
        values = []
    if len(values) != length:
        raise Invalid(
            "The cursor is not one of ours.",
            errors=[{"pointer": "?cursor", "code": "invalid", "detail": "Unknown cursor."}],
        )
    return values


def after(queryset: QuerySet[Any], order: Sequence[str], cursor: str) -> QuerySet[Any]:
    """Order by the fields ("-id" descends) and keep what comes after the cursor.

    The last field must be unique, or rows between two pages could be lost.
    """
    ordered = queryset.order_by(*order)
    if not cursor:
        return ordered
    names = [name.removeprefix("-") for name in order]
    beyond, equal = Q(), Q()
    for name, field, value in zip(order, names, decode(cursor, len(order)), strict=True):
        step = f"{field}__lt" if name.startswith("-") else f"{field}__gt"
        beyond |= equal & Q(**{step: value})
        equal &= Q(**{field: value})
    return ordered.filter(beyond)


def page(
    queryset: QuerySet[Any], order: Sequence[str], *, cursor: str = "", limit: int = DEFAULT_LIMIT
) -> tuple[list[Any], str]:
    """One page of instances and the cursor of the next one ("" at the end). One statement."""
    rows = list(after(queryset, order, cursor)[: limit + 1])
    if len(rows) <= limit:
        return rows, ""
    last = rows[limit - 1]
    return rows[:limit], encode([getattr(last, name.removeprefix("-")) for name in order])


class KeysetPagination(BasePagination):
    """`?limit=` up to 250 and `?cursor=`; newest first unless the view names `keyset_order`."""

    order: tuple[str, ...] = ("-id",)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.limit = _limit(request.query_params.get("limit", ""))
        order = getattr(view, "keyset_order", self.order)
        rows, self.next_cursor = page(
            queryset, order, cursor=request.query_params.get("cursor", ""), limit=self.limit
        )
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        link = None
        if self.next_cursor:
            link = replace_query_param(
                self.request.build_absolute_uri(), "cursor", self.next_cursor
            )
        headers = {"Link": f'<{link}>; rel="next"'} if link else {}
        return Response({"results": data, "next": link}, headers=headers)

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": schema,
                "next": {"type": ["string", "null"], "format": "uri"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        del view
        return [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": f"Rows per page, at most {MAX_LIMIT}.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Opaque; taken from `next`.",
                "schema": {"type": "string"},
            },
        ]


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise Invalid(
            f"limit is a number from 1 to {MAX_LIMIT}.",
            errors=[{"pointer": "?limit", "code": "invalid", "detail": f"1 to {MAX_LIMIT}"}],
        )
    return int(text)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return {"u": str(value)}
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    return value


def _typed(item: Any) -> Any:
    if isinstance(item, dict):
        return UUID(item["u"]) if "u" in item else datetime.fromisoformat(item["t"])
    return item
