"""Drop-ship suppliers' offers: for planners by SKU, for people with their names."""

from collections.abc import Collection
from typing import Final

from django.db.models import QuerySet

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import SupplierOffer
from inventory.types import OfferTerms

TOPIC: Final = "offers"
"""Whoever changes an offer raises this version."""

_TERMS: Final = (
    "node_id", "sku_id", "unit_cost_minor", "own_cost_minor", "currency", "lead_days",
    "least_units", "valid_from", "valid_until",
)  # fmt: skip


def offer_terms(sku_ids: Collection[int]) -> dict[int, list[OfferTerms]]:
    """Every offer of these SKUs by SKU, those that began last first. One statement."""
    found: dict[int, list[OfferTerms]] = {}
    rows = SupplierOffer.objects.for_scope(ALL_ACCOUNTS).filter(sku_id__in=sku_ids)
    for row in rows.order_by("-valid_from", "pk").values_list(*_TERMS):
        terms = OfferTerms(*row)
        found.setdefault(terms.sku_id, []).append(terms)
    return found


def offers(scope: Scope, *, node: str = "") -> "QuerySet[SupplierOffer]":
    """The offers of the scope's accounts, or one supplier's, with node and SKU."""
    found = SupplierOffer.objects.for_scope(scope).select_related("node", "sku")
    if node:
        found = found.filter(node__code=node)
    return found.order_by("node__code", "sku__code", "valid_from", "pk")
