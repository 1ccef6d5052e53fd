"""An account's policy for promises that cannot be kept."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel.errors import NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Account
from config.kernel.types import Actor
from orders.promise_policy import SETTING, PromisePolicy, policy_from, require_sane


@transaction.atomic
def set_promise_policy(
    account_id: UUID, changes: dict[str, Any], *, at: datetime, actor: Actor
) -> PromisePolicy:
    """Change what is named of the account's policy; the rest stays. Answers the policy.

    Raises NotFound beyond the scope, and Invalid, naming every field that means nothing.
    """
    account = Account.objects.select_for_update().filter(pk=account_id).first()
    if account is None or not actor.scope.allows(account_id):
        raise NotFound("There is no such account.")
    if "automatic" in changes:
        changes = changes | {"automatic": tuple(changes["automatic"])}
    policy = replace(policy_from(account.settings), **changes)
    require_sane(policy)
    account.settings = account.settings | {SETTING: asdict(policy)}
    account.save(update_fields=["settings"])
    record_history(
        Account, [account.pk], Change.CHANGED, at=at, actor=actor, reason="promise policy"
    )
    return policy
