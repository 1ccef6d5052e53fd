"""Endpoints: who hears of what. Made, changed, switched, removed, and their secrets rotated."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports, ids, vault
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations.models import WebhookEndpoint
from integrations.models.webhooks import EndpointState
from integrations.webhooks_out import addresses, selectors, signing, topics
from integrations.webhooks_out.cases import WEBHOOK_DISABLED
from integrations.webhooks_out.signing import Secret

LONGEST_URL: Final = 500
_HINT_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """An endpoint as somebody wants it. `topics` are names or patterns.

    With `channel_ids` it hears of orders of these channels alone.
    """

    name: str
    url: str
    topics: tuple[str, ...]
    channel_ids: tuple[UUID, ...] = ()


@transaction.atomic
def add_endpoint(
    account_id: UUID, draft: EndpointDraft, *, at: datetime, actor: Actor
) -> WebhookEndpoint:
    """Have an address hear of an account's events from now on. Raises Invalid, NotFound."""
    if not actor.scope.allows(account_id):
        raise NotFound("There is no such account.")
    _check(draft, account_id)
    key = vault.new_keys(1)[0]
    endpoint = WebhookEndpoint(
        id=ids.uuid7(),
        account_id=account_id,
        name=draft.name.strip(),
        url=draft.url,
        topics=list(draft.topics),
        channel_ids=_channel_ids(draft),
        key_id=key.id,
        created_at=at,
        changed_at=at,
    )
    _seal(endpoint, [Secret(signing.new_secret())])
    endpoint.save(force_insert=True)
    _record(endpoint, Change.CREATED, at=at, actor=actor)
    return endpoint


@transaction.atomic
def change_endpoint(
    endpoint_id: UUID, draft: EndpointDraft, *, at: datetime, actor: Actor
) -> WebhookEndpoint:
    """Name, address, topics, channels; what waits goes to the new address. Raises Invalid, NotFound."""
    endpoint = _locked(endpoint_id, actor)
    _check(draft, endpoint.account_id)
    endpoint.name, endpoint.url = draft.name.strip(), draft.url
    endpoint.topics, endpoint.channel_ids = list(draft.topics), _channel_ids(draft)
    return _saved(endpoint, at=at, actor=actor)


@transaction.atomic
def limit_endpoint(
    endpoint_id: UUID, channel_ids: Collection[UUID], *, at: datetime, actor: Actor
) -> WebhookEndpoint:
    """Have it hear of orders of these channels alone; of none, of the whole account's.

    Raises Invalid, NotFound.
    """
    endpoint = _locked(endpoint_id, actor)
    topics_ = tuple(endpoint.topics)
    draft = EndpointDraft(endpoint.name, endpoint.url, topics_, tuple(channel_ids))
    return change_endpoint(endpoint_id, draft, at=at, actor=actor)


@transaction.atomic
def switch_endpoint(
    endpoint_id: UUID, *, enabled: bool, reason: str = "", at: datetime, actor: Actor
) -> WebhookEndpoint:
    """Enable or disable; one that stands so already is left as it is. Raises NotFound."""
    endpoint = _locked(endpoint_id, actor)
    if enabled and endpoint.state == EndpointState.DISABLED:
        endpoint.enable()
    elif not enabled and endpoint.state == EndpointState.ENABLED:
        endpoint.disable(reason=reason[:200] or "disabled by hand")
    else:
        return endpoint
    return _saved(endpoint, at=at, actor=actor, reason=reason)


@transaction.atomic
def remove_endpoint(endpoint_id: UUID, *, at: datetime, actor: Actor) -> None:
    """Have it hear of nothing more. Its log stays, its secrets do not. Raises NotFound."""
    endpoint = _locked(endpoint_id, actor)
    endpoint.remove()
    _saved(endpoint, at=at, actor=actor)
    vault.destroy_keys([endpoint.key_id], at=at)


@transaction.atomic
def rotate_secret(endpoint_id: UUID, *, at: datetime, actor: Actor) -> WebhookEndpoint:
    """A new secret; the one before signs beside it for a day. Raises NotFound."""
    endpoint = _locked(endpoint_id, actor)
    # Signatures are made and judged by machine time.
    _seal(endpoint, signing.rotated(selectors.secrets_of(endpoint), now=datetime.now(UTC)))
    return _saved(endpoint, at=at, actor=actor, reason="secret rotated")


def disable_failing(endpoint: WebhookEndpoint, reason: str, *, at: datetime, actor: Actor) -> None:
    """Disable a locked endpoint that only fails, with a case; in the caller's transaction."""
    if endpoint.state != EndpointState.ENABLED:
        return
    endpoint.disable(reason=reason[:200])
    _saved(endpoint, at=at, actor=actor, reason=reason)
    case_reports.report(
        [
            case_reports.Report(
                WEBHOOK_DISABLED,
                "webhook_endpoint",
                endpoint.pk,
                endpoint.account_id,
                evidence={"endpoint": endpoint.name, "reason": reason},
                cause=f"endpoint:{endpoint.pk}",
            )
        ],
        at=at,
    )


def lock_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, locked until the transaction ends."""
    [endpoint] = WebhookEndpoint.objects.for_scope(ALL_ACCOUNTS).locked([endpoint_id])
    found: WebhookEndpoint = endpoint
    return found


def _locked(endpoint_id: UUID, actor: Actor) -> WebhookEndpoint:
    rows: Sequence[WebhookEndpoint] = list(
        selectors.endpoints(actor.scope).locked([endpoint_id])  # type: ignore[attr-defined]  # ours
    )
    if not rows:
        raise NotFound("There is no such endpoint.")
    return rows[0]


def _channel_ids(draft: EndpointDraft) -> list[UUID]:
    return sorted(set(draft.channel_ids))


def _check(draft: EndpointDraft, account_id: UUID) -> None:
    errors = []
    if not draft.name.strip():
        errors.append({"pointer": "/name", "code": "missing", "detail": "It needs a name."})
    if len(draft.url) > LONGEST_URL:
        errors.append({"pointer": "/url", "code": "too-long", "detail": "At most 500 signs."})
    if not draft.topics:
        detail = "Name the topics; * is all."
        errors.append({"pointer": "/topics", "code": "missing", "detail": detail})
    errors += [
        {"pointer": "/topics", "code": "unknown-topic", "detail": f"No topic is called {name}."}
        for name in topics.unknown(draft.topics)
    ]
    errors += [
        {"pointer": "/channels", "code": "unknown-channel", "detail": f"No channel is {unknown}."}
        for unknown in selectors.unknown_channels(draft.channel_ids, account_id)
    ]
    if errors:
        raise Invalid("The endpoint is not valid.", errors=errors)
    addresses.check_url(draft.url)


def _seal(endpoint: WebhookEndpoint, held: Sequence[Secret]) -> None:
    endpoint.sealed = vault.seal(endpoint.key_id, signing.to_plain(held))
    endpoint.hint = held[0].text[-_HINT_LENGTH:]


def _saved(
    endpoint: WebhookEndpoint, *, at: datetime, actor: Actor, reason: str = ""
) -> WebhookEndpoint:
    endpoint.changed_at = at
    endpoint.save()
    _record(endpoint, Change.CHANGED, at=at, actor=actor, reason=reason)
    return endpoint


def _record(
    endpoint: WebhookEndpoint, change: Change, *, at: datetime, actor: Actor, reason: str = ""
) -> None:
    record_history(WebhookEndpoint, [endpoint.pk], change, at=at, actor=actor, reason=reason)
