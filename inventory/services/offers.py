"""Drop-ship suppliers' offers: what they ask, how soon they send, and when that ends."""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import versions
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import NodeGrant, Sku, SupplierOffer
from inventory.selectors.offers import TOPIC
from inventory.states import NodeKind
from inventory.types import OfferDraft

MOST_LEAD_DAYS: Final = 250
_TERMS: Final = (
    "unit_cost_minor", "own_cost_minor", "currency", "lead_days", "least_units", "valid_until",
    "source",
)  # fmt: skip


@transaction.atomic
def define_offers(
    drafts: Sequence[OfferDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Write offers as they are wanted, by supplier, SKU and first day. One outcome each.

    Plans made from now on count them; what is promised stays so. Of two drafts of one offer the
    later counts. Raises Invalid for an account that is not the actor's.
    """
    if not actor.scope.allows(account_id):
        raise Invalid("The account is not yours.")
    suppliers = set(
        NodeGrant.objects.filter(
            account_id=account_id,
            node_id__in={draft.node_id for draft in drafts},
            node__kind=NodeKind.SUPPLIER,
        ).values_list("node_id", flat=True)
    )
    skus = set(
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, pk__in={draft.sku_id for draft in drafts})
        .values_list("pk", flat=True)
    )
    refused = [_refusal(draft, suppliers, skus) for draft in drafts]
    good = {
        (draft.node_id, draft.sku_id, draft.valid_from): draft
        for draft, why in zip(drafts, refused, strict=True)
        if why is None
    }
    _write(good, account_id, at=at, actor=actor)
    return [why or Outcome.done(draft.sku_id) for draft, why in zip(drafts, refused, strict=True)]


@transaction.atomic
def end_offer(offer_id: int, on: date, *, at: datetime, actor: Actor) -> None:
    """Let the offer hold no more from that day on, or from its first day where that is later.

    Raises NotFound for an offer that is none of the actor's.
    """
    row = (
        SupplierOffer.objects.for_scope(actor.scope)
        .filter(pk=offer_id)
        .select_for_update(of=("self",))
        .first()
    )
    if row is None:
        raise NotFound("There is no such offer.")
    row.valid_until = max(on, row.valid_from)
    row.save(update_fields=["valid_until"])
    record_history(SupplierOffer, [row.pk], Change.CHANGED, at=at, actor=actor, reason="ended")
    versions.bump(TOPIC)


def _write(
    good: dict[tuple[int, int, date], OfferDraft],
    account_id: UUID,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    if not good:
        return
    found = SupplierOffer.objects.for_scope(ALL_ACCOUNTS).filter(
        node_id__in={node for node, *_ in good},
        sku_id__in={sku for _, sku, _ in good},
        valid_from__in={first for *_, first in good},
    )
    had = {
        (row.node_id, row.sku_id, row.valid_from)
        for row in found.order_by("pk").select_for_update()
    }
    SupplierOffer.objects.bulk_create(
        [
            SupplierOffer(
                account_id=account_id,
                node_id=draft.node_id,
                sku_id=draft.sku_id,
                valid_from=draft.valid_from,
                **{name: getattr(draft, name) for name in _TERMS},
            )
            for draft in good.values()
        ],
        update_conflicts=True,
        unique_fields=["node", "sku", "valid_from"],
        update_fields=_TERMS,
    )
    now = {(row.node_id, row.sku_id, row.valid_from): row.pk for row in found.all()}
    for change, keys in (
        (Change.CREATED, good.keys() - had),
        (Change.CHANGED, good.keys() & had),
    ):
        record_history(SupplierOffer, [now[key] for key in keys], change, at=at, actor=actor)
    versions.bump(TOPIC)


def _refusal(
    draft: OfferDraft, suppliers: Collection[int], skus: Collection[int]
) -> Outcome[int] | None:
    """Why the draft cannot be, or None."""
    ends = draft.valid_until
    problems = (
        (draft.node_id in suppliers, "unknown-supplier", "The account has no such supplier."),
        (draft.sku_id in skus, "unknown-sku", "The account has no such SKU."),
        (
            min(draft.unit_cost_minor, draft.own_cost_minor or 0) >= 0,
            "negative",
            "Costs are 0 or more.",
        ),
        (
            re.fullmatch("[A-Z]{3}", draft.currency) is not None,
            "unknown-currency",
            "A currency has three capital letters.",
        ),
        (
            0 <= draft.lead_days <= MOST_LEAD_DAYS,
            "lead-days",
            f"Lead days are from 0 to {MOST_LEAD_DAYS}.",
        ),
        (draft.least_units >= 1, "least-units", "The least that is ordered is a unit or more."),
        (ends is None or ends >= draft.valid_from, "period", "It ends before it begins."),
    )
    return next((Outcome.refused(code, why) for holds, code, why in problems if not holds), None)
