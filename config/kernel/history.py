"""Audit history: the rows of django-simple-history, written by one INSERT … SELECT per change.

The library's signals are not connected: they would cost a statement per row, miss every bulk
write, and read the actor from a thread. A service that has changed rows calls `record` with the
actor it was given.
"""

import copy
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED
from psycopg.types.json import Jsonb
from simple_history.models import HistoricalRecords as _HistoricalRecords

from config.kernel.types import Actor

HISTORY_COLUMNS = (
    "history_date",
    "history_type",
    "history_change_reason",
    "actor_kind",
    "actor_id",
    "actor_name",
    "correlation_id",
    "history_at",
)


class Change(StrEnum):
    CREATED = "+"
    CHANGED = "~"
    DELETED = "-"


class HistoryBase(models.Model):
    """Who and when, on every history row: the actor as text, business time beside machine time."""

    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    correlation_id = models.CharField(max_length=64, default="")
    history_at = models.DateTimeField()

    class Meta:
        abstract = True


class HistoricalRecords(_HistoricalRecords):
    """The only history declaration: actor columns, text reason, no user foreign key, no signals.

    A model that is part of a document names the document's column in `history_document`. Name columns that hold personal data or hot counters in `excluded_fields`.
    """

    def __init__(self, *, excluded_fields: Iterable[str] = ()) -> None:
        super().__init__(
            bases=(HistoryBase,),
            excluded_fields=list(excluded_fields),
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.TextField(default=""),
        )

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        fields: dict[str, Any] = super().copy_fields(model)
        for name, original in fields.items():
            # A shallow copy would share its relation, which names the original as its field.
            field = fields[name] = copy.deepcopy(original)
            field.db_index = name == model._meta.pk.name
            field.db_default = NOT_PROVIDED
            field.__dict__.pop("_db_default_expression", None)
        return fields

    def _get_history_user_fields(self) -> dict[str, Any]:
        return {"history_user": property(lambda row: row.actor_name)}

    @property
    def _date_indexing(self) -> bool:
        return False

    def post_save(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: services record."""

    def post_delete(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: services record."""

    def pre_delete(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: services record."""


def record(
    model: type[models.Model],
    pks: Iterable[UUID | int],
    change: Change,
    *,
    at: datetime,
    actor: Actor,
    reason: str = "",
) -> None:
    """Copy the rows as they now stand into the model's history, in one statement.

    Call it after the rows were written and, for a deletion, before they go.
    """
    wanted = list(pks)
    if not wanted:
        return
    correlation: list[Any] = [actor.correlation_id]
    if actor.correlations:
        correlation.insert(0, Jsonb({str(key): said for key, said in actor.correlations.items()}))
    with connection.cursor() as cursor:
        cursor.execute(
            _copying(model, told_apart=bool(actor.correlations)),
            [change, reason, actor.kind, actor.id, actor.name, *correlation, at, wanted],
        )


@cache
def _copying(model: type[models.Model], *, told_apart: bool) -> str:
    """The statement of `record`; `told_apart` looks each row's request up by its document.

    Kept: asking a model for its history builds a manager each time.
    """
    history_model = model.history.model  # type: ignore[attr-defined]  # set by HistoricalRecords
    columns = [field.column for field in history_model.tracked_fields]
    names = ", ".join(f'"{name}"' for name in (*columns, *HISTORY_COLUMNS))
    values = ", ".join(f'"{name}"' for name in columns)
    document = getattr(model, "history_document", model._meta.pk.column)
    correlation = f'coalesce(%s::jsonb ->> "{document}"::text, %s)' if told_apart else "%s"
    return (
        f'INSERT INTO "{history_model._meta.db_table}" ({names}) '  # noqa: S608  # names from the model
        f"SELECT {values}, clock_timestamp(), %s, %s, %s, %s, %s, {correlation}, %s "
        f'FROM "{model._meta.db_table}" WHERE "{model._meta.pk.column}" = ANY(%s)'
    )
