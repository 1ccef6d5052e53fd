"""A foreign key that leaves its app points down, and leaves no name behind on the other side."""

import pytest
from django.apps import apps
from django.db import models

ORDER = (
    "kernel",
    "inventory",
    "orders",
    "routing",
    "fulfillment",
    "returns",
    "integrations",
    "console",
)
"""From the ground up: an app may point at what stands before it."""


def leaving() -> list[models.ForeignKey]:
    """Every relation of ours that ends in another app of ours or of a library."""
    return [
        field
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ORDER
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and field.model is model
        and field.related_model._meta.app_label != model._meta.app_label
    ]


def named(field: models.ForeignKey) -> str:
    return f"{field.model._meta.label}.{field.name}"


def test_they_point_down():
    wrong = [
        f"{named(field)} → {field.related_model._meta.label}"
        for field in leaving()
        if field.related_model._meta.app_label in ORDER
        and ORDER.index(field.related_model._meta.app_label)
        >= ORDER.index(field.model._meta.app_label)
    ]

    assert wrong == []


def test_they_leave_no_reverse_name():
    wrong = [
        named(field)
        for field in leaving()
        if field.related_model._meta.app_label in ORDER
        and not (field.remote_field.related_name or "").endswith("+")
    ]

    assert wrong == []


@pytest.mark.parametrize("label", ORDER)
def test_tables_carry_the_label_of_their_app(label: str):
    wrong = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label == label and not model._meta.db_table.startswith(f"{label}_")
    ]

    assert wrong == []
