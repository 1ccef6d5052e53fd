"""Invariant 9: what belongs together belongs to one account."""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db.models import ForeignKey, Model

from config.invariants import by_sql, register

_OURS: Final = frozenset(
    {"kernel", "inventory", "orders", "routing", "fulfillment", "returns", "integrations"}
)

_UNDECLARED: Final = (
    ("kernel_event", "subject_id", "orders_order"),
    ("kernel_event", "thread_id", "orders_order"),
    ("kernel_casereport", "thread_id", "orders_order"),
    ("kernel_case", "thread_id", "orders_order"),
    ("kernel_intent", "subject_id", "orders_order"),
    ("inventory_movement", "level_id", "inventory_stocklevel"),
    ("inventory_reservation", "demand_id", "orders_orderline"),
    ("inventory_reservation", "thread_id", "orders_order"),
    ("routing_routingdecision", "order_id", "orders_order"),
    ("routing_routingdecision", "group_id", "orders_deliverygroup"),
    ("fulfillment_fulfillmentline", "reservation_id", "inventory_reservation"),
    ("orders_invoice", "parcel_id", "fulfillment_parcel"),
    ("orders_orderlink", "parcel_id", "fulfillment_parcel"),
    ("returns_return", "parcel_id", "fulfillment_parcel"),
    ("returns_return", "exchange_order_id", "orders_order"),
    ("returns_claim", "parcel_id", "fulfillment_parcel"),
    ("returns_claim", "reship_order_id", "orders_order"),
    ("integrations_inboxmessage", "thread_id", "orders_order"),
)
"""References without a foreign key: (table, column, what it names)."""


def _has_account(model: type[Model]) -> bool:
    return "account_id" in {field.column for field in model._meta.concrete_fields}


def _parents(model: type[Model]) -> list[tuple[str, str]]:
    """The columns of a model that point at rows of one account, with the table of those."""
    return [
        (field.column, field.related_model._meta.db_table)
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and _has_account(field.related_model)
    ]


def _models() -> list[type[Model]]:
    """Ours, without their histories: those copy rows that were looked at."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in _OURS and not hasattr(model, "instance_type")
    ]


def children() -> Iterator[tuple[str, str]]:
    """Each table with a query of it: rows of an account that point at a row of another."""
    declared = [
        (model._meta.db_table, model._meta.pk.column, column, parent)
        for model in _models()
        if _has_account(model)
        for column, parent in _parents(model)
    ]
    undeclared = [(table, "id", column, parent) for table, column, parent in _UNDECLARED]
    for table, key, column, parent in (*declared, *undeclared):
        look = f"""
            SELECT child.{key}::text, '{table}', '{column}'
            FROM (SELECT * FROM {table} WHERE {{account}}) AS child
            JOIN {parent} parent ON parent.id = child.{column}
            WHERE child.account_id IS DISTINCT FROM parent.account_id
        """  # noqa: S608  # names of models
        yield table, look


def _links() -> Iterator[str]:
    """A row of no account between rows of two."""
    for model in _models():
        table, parents = model._meta.db_table, _parents(model)
        if _has_account(model) or len(parents) < 2:
            continue
        (first, first_table), *others = parents
        for column, other_table in others:
            yield f"""
                SELECT link.id::text, '{table}', '{first}', '{column}'
                FROM {table} link
                JOIN (SELECT * FROM {first_table} WHERE {{account}}) AS one ON one.id = link.{first}
                JOIN {other_table} other ON other.id = link.{column}
                WHERE one.account_id <> other.account_id
            """  # noqa: S608  # names of models


register(
    by_sql(
        "accounts.children",
        "A row is of the account of what it points at",
        "Row {} of {} is of another account than its {}.",
        " UNION ALL ".join(look for _, look in children()) + " ORDER BY 1",
    ),
    by_sql(
        "accounts.links",
        "A row that joins two others joins them within one account",
        "Row {} of {} joins {} and {} of two accounts.",
        " UNION ALL ".join(_links()) + " ORDER BY 1",
    ),
    by_sql(
        "accounts.grants",
        "Who works at a node works for an account that uses it",
        "Grant {} is for node {}, which its account does not use.",
        """
        SELECT given.id, given.node_id
        FROM (SELECT * FROM kernel_grant WHERE {account}) AS given
        WHERE given.node_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM inventory_nodegrant used
            WHERE used.node_id = given.node_id AND used.account_id = given.account_id)
        ORDER BY given.id
        """,
    ),
)
