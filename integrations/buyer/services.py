"""Messages to buyers: written once per fact, sent by intent, kept as they went out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import ids, vault
from config.kernel.errors import Conflict
from config.kernel.events import Recorded
from config.kernel.services import intents
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.selectors import fulfillment_orders_of
from integrations.buyer import letters, selectors, voices
from integrations.buyer.facts import Fact, facts_of
from integrations.buyer.letters import Letter, News
from integrations.buyer.news import news_of
from integrations.buyer.voices import Voice
from integrations.models import BuyerMessage
from integrations.models.buyer import MessageKind, MessageState
from orders.selectors import BoughtOrder, bought_orders
from orders.selectors.choices import open_choices
from orders.services import record_told
from orders.types import Telling

SEND: Final = "buyer.message"
"""The intent by which a message goes out."""
NO_ADDRESS: Final = "The order names no e-mail address."
ERASED: Final = "The person was erased."
_WITH_PARCELS: Final = frozenset(
    {MessageKind.SHIPPED, MessageKind.DELIVERED, MessageKind.READY, MessageKind.DELAYED}
)


@transaction.atomic
def write_messages(events: Sequence[Recorded], *, at: datetime, actor: Actor) -> list[UUID]:
    """Write what these events have a buyer told, each fact once, and have it sent.

    Nothing is written about closed facts of the past, nothing where the channel writes to its
    buyers itself, and nothing for an account that has no server to send by. A buyer without an
    address gets a row that says so. Returns the new messages.
    """
    writing = selectors.writing_accounts({event.account_id for event in events})
    facts = facts_of([event for event in events if event.account_id in writing])
    bought = {
        order_id: order
        for order_id, order in bought_orders({fact.order_id for fact in facts}).items()
        if order.order.mode != "history" and voices.we_write(order.order.channel)
    }
    facts = _with_choices([fact for fact in facts if fact.order_id in bought])
    work = fulfillment_orders_of({fact.order_id for fact in facts if fact.kind in _WITH_PARCELS})
    spoken = voices.voices({each.order.brand_id: each.order.brand.name for each in bought.values()})
    rows: dict[tuple[str, str], BuyerMessage] = {}
    shown: dict[UUID, tuple[UUID, ...]] = {}
    for fact in facts:
        order = bought[fact.order_id]
        news = news_of(fact, order, work.get(fact.order_id, ()))
        if news is not None:
            row = _row(fact, news, order, spoken[order.order.brand_id], at=at)
            rows.setdefault((row.kind, row.fact), row)
            shown[row.pk] = news.promise_ids
    kept = _keep(list(rows.values()), at=at, actor=actor)
    record_told(
        [
            Telling(promise_id, "buyer", "e-mail", row.pk)
            for row in kept
            if row.state == MessageState.WAITING
            for promise_id in shown.get(row.pk, ())
        ],
        at=at,
    )
    return [row.pk for row in kept]


def _with_choices(facts: Sequence[Fact]) -> list[Fact]:
    """The facts, those of given-up pickups with what their buyers may choose about now, and until when."""
    asking = {fact.order_id for fact in facts if fact.kind is MessageKind.CHOICE}
    units: dict[UUID, dict[UUID, int]] = {}
    until: dict[UUID, datetime | None] = {}
    for choice in open_choices(asking).values() if asking else ():
        if choice.asks:
            units.setdefault(choice.order_id, {}).update(choice.units)
            until[choice.order_id] = choice.until
    return [
        replace(fact, units=units.get(fact.order_id, {}), until=until.get(fact.order_id))
        if fact.kind is MessageKind.CHOICE
        else fact
        for fact in facts
    ]


def _row(
    fact: Fact, news: News, bought: BoughtOrder, voice: Voice, *, at: datetime
) -> BuyerMessage:
    row = BuyerMessage(
        id=ids.uuid7(),
        account_id=bought.order.account_id,
        brand_id=bought.order.brand_id,
        order_id=bought.order.pk,
        kind=news.kind,
        fact=news.name,
        event_id=fact.event_id,
        language=letters.language_of(bought, voice),
        at=fact.at,
    )
    if bought.buyer is None or not bought.buyer.email or bought.key_id is None:
        row.stay_silent(reason=NO_ADDRESS if bought.buyer or not bought.key_id else ERASED, at=at)
        return row
    letter = letters.write(news, bought, voice)
    row.template = letter.template
    row.sealed_with = bought.key_id
    row.sealed = vault.seal(bought.key_id, _sealed(letter))
    return row


def _sealed(letter: Letter) -> dict[str, str]:
    return {name: getattr(letter, name) for name in Letter.__dataclass_fields__}


def _keep(rows: Sequence[BuyerMessage], *, at: datetime, actor: Actor) -> list[BuyerMessage]:
    """Insert what nobody was told yet, with an intent each. Three statements. Answers the new ones."""
    if not rows:
        return []
    BuyerMessage.objects.bulk_create(rows, ignore_conflicts=True)
    new = set(
        BuyerMessage.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[row.pk for row in rows])
        .values_list("pk", flat=True)
    )
    kept = [row for row in rows if row.pk in new]
    _ask(kept, at=at, actor=actor)
    return kept


def _ask(rows: Sequence[BuyerMessage], *, at: datetime, actor: Actor) -> None:
    intents.add(
        [
            NewIntent(SEND, f"{row.pk}:{row.rounds}", "buyer_message", row.pk, row.account_id)
            for row in rows
            if row.state == MessageState.WAITING
        ],
        at=at,
        actor=actor,
    )


@transaction.atomic
def send_again(message_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Send once more what did not go out, or perhaps did not. One outcome per id, in order.

    What was sent is refused: a buyer hears of a fact once.
    """
    rows = {row.pk: row for row in BuyerMessage.objects.for_scope(actor.scope).locked(message_ids)}
    outcomes: list[Outcome[UUID]] = []
    again: dict[UUID, BuyerMessage] = {}
    for message_id in message_ids:
        row = rows.get(message_id)
        if row is None:
            outcomes.append(Outcome.refused("not-found", "There is no such message."))
            continue
        try:
            row.send_again()
        except Conflict as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail, **refusal.extra))
            continue
        again[message_id] = row
        outcomes.append(Outcome.done(message_id))
    BuyerMessage.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        again.values(), ["state", "rounds", "settled_at", "reason"]
    )
    _ask(list(again.values()), at=at, actor=actor)
    return outcomes


def record_answer(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """What became of a sending: sent, perhaps sent, not sent, or nobody left to write to."""
    del actor
    [row] = BuyerMessage.objects.for_scope(ALL_ACCOUNTS).locked([intent.subject_id])
    if row.state != MessageState.WAITING:
        return
    if answer.kind is AnswerKind.DONE and not answer.data.get("unconfirmed"):
        row.confirm(at=at)
    elif answer.kind is AnswerKind.REFUSED and answer.error == ERASED:
        row.stay_silent(reason=ERASED, at=at)
    elif answer.kind is AnswerKind.REFUSED:
        row.fail(reason=answer.error[:200], at=at)
    else:
        row.lose_sight(reason=(answer.error or "The mail server did not answer.")[:200], at=at)
    row.save(update_fields=["state", "reason", "settled_at"])
