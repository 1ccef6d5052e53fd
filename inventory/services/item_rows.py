"""Rows of SKUs, packs, barcodes and kits as commands take them: locked, refused, told."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import models

from config.kernel import versions
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import Sku
from inventory.services.items import TOPIC

Refused = Outcome[int] | None
Check = tuple[bool, str, str]
"""(holds, column, what is wrong)."""


def locked_skus(account_id: UUID, codes: Collection[str]) -> dict[str, Sku]:
    """The account's SKUs of these codes, locked in the order of their ids."""
    found = (
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=codes)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    return {sku.code: sku for sku in found}


def twice(keys: Sequence[Hashable], column: str) -> list[list[Check]]:
    """A check per key that no other of the batch is the same."""
    times = Counter(keys)
    return [[(times[key] == 1, column, "It is said twice in the same batch.")] for key in keys]


def keep_told(
    model: type[models.Model],
    keys: Iterable[int],
    change: Change,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    reason = "removed" if change is Change.DELETED else "defined"
    record_history(model, list(keys), change, at=at, actor=actor, reason=reason)
    versions.bump(TOPIC)


def answers(refused: Sequence[Refused], written: Sequence[int]) -> list[Outcome[int]]:
    made = iter(written)
    return [why if why is not None else Outcome.done(next(made)) for why in refused]


def gone_or_not(key: int | None) -> Outcome[int]:
    return (
        Outcome.done(key) if key is not None else Outcome.refused("not-found", "It is not there.")
    )


def first_wrong(checks: Iterable[Check]) -> Refused:
    return next(
        (Outcome.refused("invalid", said, column=at) for holds, at, said in checks if not holds),
        None,
    )
