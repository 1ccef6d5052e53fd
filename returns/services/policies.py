"""Return policies: a new version takes the place of the live one."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import ids
from config.kernel.errors import Invalid
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from returns.models import ReturnPolicy
from returns.services.work import require_account
from returns.states import PaidBy, ReasonClass, ShippingBack, Trigger
from returns.types import Terms


@transaction.atomic
def publish_policy(
    account_id: UUID,
    terms: Terms,
    *,
    brand_id: UUID | None = None,
    channel_id: UUID | None = None,
    at: datetime,
    actor: Actor,
) -> UUID:
    """Make these terms hold from now on, for the account, a brand or a channel. Answers the version.

    Returns that were asked for before keep the terms of their time. Raises Invalid for words that
    nobody knows.
    """
    require_account(actor.scope, account_id)
    _require_known(terms)
    live = ReturnPolicy.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, brand_id=brand_id, channel_id=channel_id
    )
    before = live.select_for_update().order_by("-version").first()
    if before is not None and before.retired_at is None:
        before.retired_at = at
        before.save(update_fields=["retired_at"])
        record_history(
            ReturnPolicy, [before.pk], Change.CHANGED, at=at, actor=actor, reason="replaced"
        )
    said = asdict(terms)
    made = ReturnPolicy.objects.create(
        id=ids.uuid7(),
        account_id=account_id,
        brand_id=brand_id,
        channel_id=channel_id,
        version=before.version + 1 if before else 1,
        live_from=at,
        **{**said, "reasons": list(said["reasons"])},
    )
    record_history(ReturnPolicy, [made.pk], Change.CREATED, at=at, actor=actor, reason="published")
    return made.pk


def _require_known(terms: Terms) -> None:
    known = (
        (terms.label_paid_by, PaidBy.values),
        (terms.refund_trigger, Trigger.values),
        (terms.shipping_back, ShippingBack.values),
        *((reason.kind, ReasonClass.values) for reason in terms.reasons),
    )
    for word, words in known:
        if word not in words:
            raise Invalid(f"“{word}” is not one of {', '.join(words)}.")
    if not terms.reasons:
        raise Invalid("A policy knows at least one reason.")
