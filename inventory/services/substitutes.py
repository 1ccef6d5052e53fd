"""What may go out instead of what: proposed, approved, retired. Chains are never followed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.errors import NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import Sku, Substitute
from inventory.services.item_rows import Check, first_wrong, locked_skus, twice
from inventory.states import PriceRule, SkuKind, SubstituteState
from inventory.types import SubstituteDraft

_SAID = (
    "rank", "ratio", "both_ways", "needs_consent", "price_rule", "starts_at", "ends_at",
)  # fmt: skip


@transaction.atomic
def propose_substitutes(
    drafts: Sequence[SubstituteDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Propose substitutes, or change them, by SKU, substitute and channel. One outcome each.

    What is changed in anything but its rank is approved anew: what was retired is proposed again.
    """
    skus = locked_skus(account_id, {code for one in drafts for code in (one.sku, one.substitute)})
    channels = set(
        Channel.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id)
        .values_list("pk", flat=True)
    )
    once = twice([(one.sku, one.substitute, one.channel_id) for one in drafts], "substitute")
    refused = [
        first_wrong([*alone, *_checks(draft, skus, channels)])
        for draft, alone in zip(drafts, once, strict=True)
    ]
    known = {
        (row.sku_id, row.substitute_id, row.channel_id): row
        for row in Substitute.objects.for_scope(ALL_ACCOUNTS)
        .filter(sku__in=[sku.pk for sku in skus.values()])
        .order_by("pk")
        .select_for_update(of=("self",))
    }
    made: list[Substitute] = []
    changed: list[Substitute] = []
    outcomes: list[Outcome[UUID]] = []
    for draft, why in zip(drafts, refused, strict=True):
        if why is not None and why.problem is not None:
            outcomes.append(
                Outcome.refused(why.problem.code, why.problem.detail, **why.problem.extra)
            )
            continue
        key = (skus[draft.sku].pk, skus[draft.substitute].pk, draft.channel_id)
        row = known.get(key)
        said = {name: getattr(draft, name) for name in _SAID}
        if row is None:
            row = Substitute(
                account_id=account_id,
                sku_id=key[0],
                substitute_id=key[1],
                channel_id=key[2],
                **said,
            )
            made.append(row)
        elif any(getattr(row, name) != value for name, value in said.items()):
            _change(row, said)
            changed.append(row)
        outcomes.append(Outcome.done(row.pk))
    Substitute.objects.bulk_create(made)
    _keep(changed, [*_SAID, "state"], at=at, actor=actor, reason="changed")
    record_history(
        Substitute, [row.pk for row in made], Change.CREATED, at=at, actor=actor, reason="proposed"
    )
    return outcomes


@transaction.atomic
def approve_substitutes(
    substitute_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Let substitutes go out. Refused is what is approved already, and NotFound what is not there."""
    return _move(
        substitute_ids,
        lambda row: row.approve(at=at, by=actor.name),
        SubstituteState.APPROVED,
        at=at,
        actor=actor,
        reason="approved",
    )


@transaction.atomic
def retire_substitutes(
    substitute_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Have substitutes go out no more. Likewise."""
    return _move(
        substitute_ids,
        lambda row: row.retire(),
        SubstituteState.RETIRED,
        at=at,
        actor=actor,
        reason="retired",
    )


def _change(row: Substitute, said: dict[str, object]) -> None:
    """Put what is said in; what is more than another rank ends an approval."""
    matters = any(getattr(row, name) != value for name, value in said.items() if name != "rank")
    for name, value in said.items():
        setattr(row, name, value)
    if row.state == SubstituteState.RETIRED or (matters and row.state == SubstituteState.APPROVED):
        row.propose_again()


def _move(
    substitute_ids: Sequence[UUID],
    move: Callable[[Substitute], None],
    target: SubstituteState,
    *,
    at: datetime,
    actor: Actor,
    reason: str,
) -> list[Outcome[UUID]]:
    rows = {row.pk: row for row in Substitute.objects.for_scope(actor.scope).locked(substitute_ids)}
    if missing := [key for key in substitute_ids if key not in rows]:
        raise NotFound(f"There is no substitute {missing[0]}.")
    moved = [row for row in rows.values() if row.state != target]
    for row in moved:
        move(row)
    _keep(moved, ["state", "approved_by", "approved_at"], at=at, actor=actor, reason=reason)
    done = {row.pk for row in moved}
    return [Outcome.done(key) if key in done else Outcome.repeated(key) for key in substitute_ids]


def _keep(
    rows: Sequence[Substitute], names: list[str], *, at: datetime, actor: Actor, reason: str
) -> None:
    if not rows:
        return
    Substitute.objects.for_scope(ALL_ACCOUNTS).bulk_update(rows, names)
    record_history(
        Substitute, [row.pk for row in rows], Change.CHANGED, at=at, actor=actor, reason=reason
    )


def _checks(draft: SubstituteDraft, skus: dict[str, Sku], channels: set[UUID]) -> list[Check]:
    sku, other = skus.get(draft.sku), skus.get(draft.substitute)
    return [
        (sku is not None and sku.kind == SkuKind.STOCK, "sku", f"No goods are {draft.sku}."),
        (
            other is not None and other.kind == SkuKind.STOCK,
            "substitute",
            f"No goods are {draft.substitute}; kits do not stand in.",
        ),
        (sku is None or sku is not other, "substitute", "It does not stand in for itself."),
        (
            draft.channel_id is None or draft.channel_id in channels,
            "channel",
            "The account has no such channel.",
        ),
        (draft.ratio >= 1, "ratio", "At least one unit stands for one."),
        (
            draft.ratio == 1 or not draft.both_ways,
            "both_ways",
            "Only one for one holds both ways; say the other way apart.",
        ),
        (
            draft.price_rule in PriceRule.values,
            "price_rule",
            f"Use one of {', '.join(PriceRule.values)}.",
        ),
        (
            draft.ends_at is None or draft.starts_at is None or draft.ends_at > draft.starts_at,
            "ends_at",
            "It ends after it starts.",
        ),
    ]
