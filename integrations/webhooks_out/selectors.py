"""What can be asked about webhooks that we send."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from config.kernel import vault
from config.kernel.errors import NotFound
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from integrations.models.webhooks import EndpointState, WebhookState
from integrations.webhooks_out import signing
from integrations.webhooks_out.signing import Secret
from integrations.webhooks_out.topics import heard


@dataclass(frozen=True, slots=True)
class Listener:
    """An endpoint as the fan-out sees it."""

    id: UUID
    account_id: UUID
    topics: tuple[str, ...]
    channel_ids: frozenset[UUID]
    enabled: bool

    def hears(self, topic: str, channel_id: UUID | None) -> bool:
        """Whether it wants the topic, of an order of this channel; None for what is of no order."""
        limited = bool(self.channel_ids)
        return heard(self.topics, topic) and (not limited or channel_id in self.channel_ids)


def listeners(account_ids: Collection[UUID]) -> dict[UUID, list[Listener]]:
    """The endpoints of accounts that have not been removed, by account. One statement."""
    rows = (
        WebhookEndpoint.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id__in=list(account_ids))
        .exclude(state=EndpointState.REMOVED)
        .order_by("pk")
        .values_list("pk", "account_id", "topics", "channel_ids", "state")
    )
    found: defaultdict[UUID, list[Listener]] = defaultdict(list)
    for endpoint_id, account_id, topics, channel_ids, state in rows:
        enabled = state == EndpointState.ENABLED
        limits = frozenset(channel_ids)
        found[account_id].append(Listener(endpoint_id, account_id, tuple(topics), limits, enabled))
    return dict(found)


def unknown_channels(channel_ids: Collection[UUID], account_id: UUID) -> list[UUID]:
    """Of these channels those that the account does not have. One statement, none for none."""
    if not channel_ids:
        return []
    own = Channel.objects.for_scope(Scope(frozenset({account_id}))).filter(pk__in=channel_ids)
    return sorted(set(channel_ids) - set(own.values_list("pk", flat=True)))


def channels_of_account(account_id: UUID) -> list[Channel]:
    """The channels that an endpoint of the account may be limited to, by name."""
    own = Channel.objects.for_scope(Scope(frozenset({account_id})))
    return list(own.order_by("name", "pk"))


def endpoints(scope: Scope) -> QuerySet[WebhookEndpoint]:
    """Endpoints within the scope, the newest first; removed ones are left out."""
    found: QuerySet[WebhookEndpoint] = (
        WebhookEndpoint.objects.for_scope(scope)
        .exclude(state=EndpointState.REMOVED)
        .order_by("-pk")
    )
    return found


def endpoint(endpoint_id: UUID, scope: Scope) -> WebhookEndpoint:
    """One endpoint. Raises NotFound beyond the scope."""
    found = endpoints(scope).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def secrets_of(endpoint: WebhookEndpoint) -> list[Secret]:
    """The endpoint's secrets, the newest first."""
    return signing.from_plain(vault.open_(endpoint.key_id, endpoint.sealed))


def deliveries(
    endpoint_id: UUID,
    scope: Scope,
    *,
    states: Collection[str] = (),
    topic: str = "",
    since: datetime | None = None,
) -> QuerySet[WebhookDelivery]:
    """The log of an endpoint, the newest first."""
    found: QuerySet[WebhookDelivery] = WebhookDelivery.objects.for_scope(scope).filter(
        endpoint_id=endpoint_id
    )
    if states:
        found = found.filter(state__in=list(states))
    if topic:
        found = found.filter(topic=topic)
    if since is not None:
        found = found.filter(at__gte=since)
    return found.order_by("-pk")


def delivery(delivery_id: UUID, scope: Scope) -> WebhookDelivery:
    """One delivery with its endpoint and tries, the latest first. Raises NotFound."""
    tries = WebhookAttempt.objects.order_by("-pk")
    found: WebhookDelivery | None = (
        WebhookDelivery.objects.for_scope(scope)
        .select_related("endpoint")
        .prefetch_related(Prefetch("tries", tries))
        .filter(pk=delivery_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


def to_send(delivery_id: UUID) -> WebhookDelivery:
    """A delivery with its endpoint, for whoever sends it. One statement."""
    found: WebhookDelivery = (
        WebhookDelivery.objects.for_scope(ALL_ACCOUNTS)
        .select_related("endpoint")
        .get(pk=delivery_id)
    )
    return found


def about(thread_id: UUID, scope: Scope) -> list[WebhookDelivery]:
    """What was sent out about an order, oldest first."""
    rows = WebhookDelivery.objects.for_scope(scope).filter(thread_id=thread_id)
    return list(rows.select_related("endpoint").order_by("pk"))


def replayable(
    endpoint_id: UUID,
    *,
    since: datetime,
    until: datetime | None = None,
    topics: Sequence[str] = (),
    missed_only: bool = True,
    limit: int,
) -> list[UUID]:
    """Deliveries of an endpoint in a span of business time, oldest first: those it has missed."""
    found = WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).filter(
        ~Q(state=WebhookState.WAITING), endpoint_id=endpoint_id, at__gte=since
    )
    if missed_only:
        found = found.exclude(state=WebhookState.DELIVERED)
    if until is not None:
        found = found.filter(at__lt=until)
    if topics:
        found = found.filter(topic__in=list(topics))
    return list(found.order_by("pk").values_list("pk", flat=True)[:limit])


def still_disabled(endpoint_ids: Sequence[UUID]) -> set[UUID]:
    """Of these endpoints, those that are disabled still."""
    rows = WebhookEndpoint.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(endpoint_ids), state=EndpointState.DISABLED
    )
    return set(rows.values_list("pk", flat=True))


def endpoint_now(endpoint_id: UUID) -> WebhookEndpoint:
    """An endpoint as it stands, in whatever state."""
    found: WebhookEndpoint = WebhookEndpoint.objects.for_scope(ALL_ACCOUNTS).get(pk=endpoint_id)
    return found


def trying_since(delivery: WebhookDelivery) -> datetime | None:
    """Machine time of the first try in the present round of a delivery."""
    tries = WebhookAttempt.objects.filter(delivery=delivery, round=delivery.rounds)
    first: datetime | None = (
        tries.order_by("recorded_at").values_list("recorded_at", flat=True).first()
    )
    return first
