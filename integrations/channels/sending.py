"""What shops are told: intents carried out in order per order, and what follows their answers."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.errors import NotFound
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections
from integrations.channels import port
from integrations.channels.cases import COPY_REFUSED
from integrations.channels.types import Reply, Said, Wish
from integrations.models import ChannelCopy, CopyKind, CopyState

OPEN: Final = frozenset({CopyState.WAITING, CopyState.REFUSED})
"""What may still be told: a refused copy once more, where somebody revives its intent."""


def tell(intent: LeasedIntent) -> Answer:
    """Have a shop hold what is wanted; called with no transaction open."""
    row, shop = _row(intent), _shop(intent)
    if row is None or _overtaken(row, intent):
        return Answer.done(untold=True)
    if shop is None:
        return _NO_SHOP
    return answer_of(shop.tell(wish_of(row)))


def find(intent: LeasedIntent) -> Answer | None:
    """Whether it came with an earlier call; None when it did not."""
    row, shop = _row(intent), _shop(intent)
    if row is None or shop is None or _overtaken(row, intent):
        return None
    found = shop.find(wish_of(row))
    return None if found is None else answer_of(found)


_NO_SHOP = Answer.refused("The order's channel has no shop here.", code="no-connection")


def _row(intent: LeasedIntent) -> ChannelCopy | None:
    return ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(pk=intent.subject_id).first()


def _overtaken(row: ChannelCopy, intent: LeasedIntent) -> bool:
    """Something else is wanted by now, and asked for by an intent of its own; or it is there."""
    return row.state not in OPEN or bool(row.wanted_hash != intent.payload["hash"])


def _shop(intent: LeasedIntent) -> port.Shop | None:
    try:
        return port.shop(connections.by_id(UUID(intent.payload["connection"])))
    except NotFound:
        return None


def wish_of(row: ChannelCopy) -> Wish:
    """The copy in the words of the port."""
    wanted: Mapping[str, Any] = row.wanted
    due, known, apart = _money_to_date(row) if row.kind == CopyKind.REFUND else (0, 0, ())
    amount = wanted.get("amount_minor")
    return Wish(
        ours=row.pk,
        kind=row.kind,
        order=str(wanted.get("order", "")),
        number=str(wanted.get("number", "")),
        their_id=row.their_id,
        units={str(line): int(many) for line, many in wanted.get("units", {}).items()},
        rest_of=frozenset(wanted.get("rest_of", ())),
        beside=_beside(row),
        tracking_number=str(wanted.get("tracking_number", "")),
        carrier=str(wanted.get("carrier", "")),
        tracking_url=str(wanted.get("tracking_url", "")),
        shipped_at=str(wanted.get("shipped_at", "")),
        last=bool(wanted.get("last")),
        gone=bool(wanted.get("gone")),
        whole=bool(wanted.get("whole")),
        reason=str(wanted.get("reason", "")),
        currency=str(wanted.get("currency", "")),
        spared_minor=int(wanted.get("spared_minor", 0)),
        amount_minor=None if amount is None else int(amount),
        due_minor=due,
        known_minor=known,
        apart=frozenset(apart),
        worth={str(line): int(minor) for line, minor in wanted.get("worth", {}).items()},
        shipping_minor=int(wanted.get("shipping_minor", 0)),
        by_us=bool(wanted.get("by_us")),
    )


def _beside(row: ChannelCopy) -> dict[str, frozenset[str]]:
    """The numbers of other parcels that the shop holds under the same id as this one, each with the
    lines that it brings the rest of.
    """
    if row.kind != CopyKind.FULFILLMENT or not row.their_id:
        return {}
    others = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        connection_id=row.connection_id,
        order_id=row.order_id,
        kind=CopyKind.FULFILLMENT,
        their_id=row.their_id,
        state=CopyState.SAME,
    )
    return {
        str(one["tracking_number"]): frozenset(one.get("rest_of", ()))
        for one in others.exclude(pk=row.pk).values_list("wanted", flat=True)
        if not one.get("gone")
    }


def _money_to_date(row: ChannelCopy) -> tuple[int, int, Collection[str]]:
    """What we have had given back up to this copy, what the shop gave back that is accounted for
    here, and those of its refunds that stand apart: they go with units taken off, or write down what
    we gave back ourselves.
    """
    refunds = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        connection_id=row.connection_id, order_id=row.order_id, kind=CopyKind.REFUND
    )
    due = known = 0
    apart = set()
    for one in refunds:
        if one.state == CopyState.TOLD and one.wanted.get("of_cancel"):
            apart.add(one.their_id)
        elif one.state == CopyState.TOLD:
            ours = one.wanted.get("credited_minor", 0) + one.wanted.get("cancelled_minor", 0)
            known += min(ours, one.wanted.get("amount_minor", 0))
        elif one.wanted.get("by_us"):
            apart.add(one.their_id)
        elif one.pk <= row.pk or one.state == CopyState.SAME:
            due += int(one.wanted.get("amount_minor", 0))
    return due, known, apart


def answer_of(reply: Reply) -> Answer:
    """A reply in an intent's words."""
    match reply.said:
        case Said.DONE:
            return Answer.done(their_id=reply.their_id, note=reply.note)
        case Said.REFUSED:
            return Answer.refused(reply.detail or reply.code, code=reply.code)
        case Said.UNKNOWN:
            return Answer.unknown(reply.detail or reply.code)
        case Said.RETRY:
            return Answer.retry(
                reply.detail or reply.code, after_seconds=reply.after_seconds, asked=reply.asked
            )


# --- what follows -----------------------------------------------------------------------------


@transaction.atomic
def record(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down what the shop holds by now, or that it will not have it, with a case.

    What was given up waits for whoever revives it: that the intent is dead is a case already.
    """
    del actor
    if answer.data.get("untold"):
        return
    rows = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(pk=intent.subject_id)
    row = rows.select_for_update().first()
    if row is None or row.state not in OPEN:
        return
    sent: str = intent.payload["hash"]
    if answer.kind is AnswerKind.DONE and row.wanted_hash == sent:
        row.keep(
            their_id=str(answer.data.get("their_id", "")) or row.their_id,
            sent_hash=sent,
            note=str(answer.data.get("note", "")),
            at=at,
        )
    elif answer.kind is AnswerKind.DONE:
        # Something else is wanted by now: it is not as it should be yet.
        row.their_id = str(answer.data.get("their_id", ""))[:64] or row.their_id
        row.sent_hash, row.sent_at = sent, at
    elif row.wanted_hash == sent and answer.data.get("given_up"):
        row.failure = answer.error[:255]
    elif row.wanted_hash == sent:
        row.refuse(why=answer.error)
        _report_refused(row, answer, at=at)
    row.save(update_fields=["state", "their_id", "sent_hash", "failure", "sent_at", "seen_at"])


def _report_refused(row: ChannelCopy, answer: Answer, *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                COPY_REFUSED,
                "channel_copy",
                row.pk,
                row.account_id,
                evidence={
                    "what": row.kind,
                    "code": answer.data.get("code", ""),
                    "why": answer.error,
                    **_money_of(row),
                },
                cause=f"connection:{row.connection_id}:{answer.data.get('code', '')}"[:160],
                thread_id=row.order_id,
            )
        ],
        at=at,
    )


def _money_of(row: ChannelCopy) -> dict[str, Any]:
    """What is to go back, where that is what was refused."""
    if row.kind != CopyKind.REFUND:
        return {}
    return {name: row.wanted.get(name) for name in ("amount_minor", "currency")}
