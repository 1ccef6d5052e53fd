"""What can be asked about messages to buyers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from config.kernel import vault
from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations import connections
from integrations.models import BuyerMessage, Connection, DeliveryEstimate
from integrations.models.buyer import MessageKind, MessageState
from integrations.states import ConnectionKind
from integrations.types import ConnectionRef


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message, opened. Address and texts are empty when there was nobody to write to, or the
    person was erased; `can_send_again` says whether `services.send_again` would do it.
    """

    id: UUID
    kind: str
    label: str
    state: str
    state_label: str
    reason: str
    at: datetime
    settled_at: datetime | None
    language: str
    to: str
    subject: str
    plain: str
    html: str
    can_send_again: bool


def messages_of(order_id: UUID, scope: Scope, *, with_contacts: bool = True) -> list[ReadMessage]:
    """What the buyer of an order was told, oldest first. Two statements.

    Without contacts nothing is opened: neither address nor text.
    """
    rows = list(
        BuyerMessage.objects.for_scope(scope).filter(order_id=order_id).order_by("at", "pk")
    )
    if with_contacts:
        vault.preload([row.sealed_with for row in rows if row.sealed_with])
    return [_read(row, opened(row) if with_contacts else {}) for row in rows]


def _read(row: BuyerMessage, letter: dict[str, str]) -> ReadMessage:
    return ReadMessage(
        id=row.pk,
        kind=row.kind,
        label=MessageKind(row.kind).label,
        state=row.state,
        state_label=MessageState(row.state).label,
        reason=row.reason,
        at=row.at,
        settled_at=row.settled_at,
        language=row.language,
        to=letter.get("to", ""),
        subject=letter.get("subject", ""),
        plain=letter.get("plain", ""),
        html=letter.get("html", ""),
        can_send_again=row.state in {MessageState.FAILED, MessageState.UNCONFIRMED},
    )


def opened(row: BuyerMessage) -> dict[str, str]:
    """The letter as it was sealed; empty when there is none or the person was erased."""
    if row.sealed_with is None:
        return {}
    try:
        return vault.open_(row.sealed_with, row.sealed)
    except vault.Erased:
        return {}


def message(message_id: UUID) -> BuyerMessage:
    found: BuyerMessage = BuyerMessage.objects.for_scope(ALL_ACCOUNTS).get(pk=message_id)
    return found


def mail_connection(account_id: UUID, brand_code: str = "") -> ConnectionRef | None:
    """The mail server that an account sends by: the brand's own, else its first; None without one."""
    rows = list(
        Connection.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, kind=ConnectionKind.MAIL)
        .order_by("pk")
    )
    own = [row for row in rows if row.settings.get("brand") == brand_code]
    for row in (*own, *(row for row in rows if not row.settings.get("brand"))):
        return connections.ref_of(row)
    return None


def writing_accounts(account_ids: Collection[UUID]) -> set[UUID]:
    """Those of the accounts that have a server to send by: a connection, or the installation's."""
    if settings.BUYER_MESSAGES:
        return set(account_ids)
    return set(
        Connection.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id__in=account_ids, kind=ConnectionKind.MAIL)
        .values_list("account_id", flat=True)
    )


def message_keys(order_ids: Sequence[UUID]) -> set[UUID]:
    """The subject keys with which the messages about these orders are sealed."""
    rows = BuyerMessage.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=list(order_ids), sealed_with__isnull=False
    )
    return set(rows.values_list("sealed_with", flat=True))


def expected_at(parcel_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When carriers expect to deliver these parcels, as they have it now."""
    rows = DeliveryEstimate.objects.for_scope(ALL_ACCOUNTS).filter(parcel_id__in=list(parcel_ids))
    return dict(rows.values_list("parcel_id", "latest_at"))
