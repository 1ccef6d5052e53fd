"""A delay beyond the first promise: the buyer is asked, and what they say, or do not say, takes effect.

Of one group at most one question is open. Cancelling by an answer is a cancel like any other: what a
node has is asked back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from config.kernel import ids
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.models import ChannelKind
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.models import ConsentAnswer, ConsentQuestion, Order, Promise
from orders.promise_policy import DEFAULT, PromisePolicy, policies_of
from orders.services.cancel import cancel_units
from orders.services.resource import lines_of_group
from orders.services.sheet import Sheet, is_live, open_sheet
from orders.states import ConsentBy, ConsentChoice, FulfilledBy, Initiator, LineKind, Mode, Silence
from orders.types import CancelRequest, ConsentGiven

ASKED: Final = "order.consent_asked"
GIVEN: Final = "order.consent_given"
_ASK_THEMSELVES: Final = frozenset({ChannelKind.MARKETPLACE, ChannelKind.POS})
_SAID: Final = frozenset(
    {ConsentChoice.ACCEPT, ConsentChoice.CANCEL_LATE, ConsentChoice.CANCEL_ALL}
)
_TO_COME: Final = ("pending", "backordered", "reserved", "released")
SYSTEM_TEXT: Final = "Your order is delayed. Do you accept the new date?"


@transaction.atomic
def ask_consent(
    order_ids: Sequence[UUID], *, unknown: bool = False, at: datetime, actor: Actor
) -> list[UUID]:
    """Ask the buyers of these orders about every delay that they were not asked about yet.

    A group is delayed when the day that stands is later than the one first promised, or the last
    one consented to; with `unknown` also when nobody knows a day. An open question about an earlier
    day falls away with the new one. Marketplaces ask their buyers themselves. Answers the questions.
    """
    sheet = open_sheet(order_ids)
    live = [o.id for o in sheet.orders.values() if is_live(o) and _is_ours_to_ask(o)]
    policies = policies_of({sheet.orders[order_id].account_id for order_id in live})
    versions = _versions(live)
    known = _questions(live)
    asked = []
    for order_id in live:
        policy = policies.get(sheet.orders[order_id].account_id, DEFAULT)
        for group in sheet.groups_of(order_id) if policy.ask else ():
            question = _question(
                sheet,
                versions.get(group.id, []),
                known.get(group.id, []),
                policy,
                unknown=unknown,
                at=at,
            )
            if question is None or group.fulfilled_by != FulfilledBy.US:
                continue
            _replace_open(known.get(group.id, []), at=at, actor=actor)
            question.asked_by = actor.name[:120]
            question.save(force_insert=True)
            sheet.tell(
                order_id,
                ASKED,
                {
                    "group_id": str(group.id),
                    "question_id": str(question.pk),
                    "number": question.number,
                    "silence": str(question.silence),
                },
            )
            asked.append(question.pk)
    sheet.write(at=at, actor=actor, reason="asked for consent")
    return asked


def _is_ours_to_ask(order: Order) -> bool:
    return order.mode == Mode.LIVE and order.channel.kind not in _ASK_THEMSELVES


def _versions(order_ids: Sequence[UUID]) -> dict[UUID, list[Promise]]:
    found: dict[UUID, list[Promise]] = {}
    for row in (
        Promise.objects.for_scope(ALL_ACCOUNTS).filter(order_id__in=order_ids).order_by("version")
    ):
        found.setdefault(row.group_id, []).append(row)
    return found


def _questions(order_ids: Sequence[UUID]) -> dict[UUID, list[ConsentQuestion]]:
    found: dict[UUID, list[ConsentQuestion]] = {}
    for row in (
        ConsentQuestion.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=order_ids)
        .select_related("answer")
        .order_by("number")
    ):
        found.setdefault(row.group_id, []).append(row)
    return found


def _question(
    sheet: Sheet,
    versions: Sequence[Promise],
    before: Sequence[ConsentQuestion],
    policy: PromisePolicy,
    *,
    unknown: bool,
    at: datetime,
) -> ConsentQuestion | None:
    """The question to ask about a group now; None where nothing is late that was not asked about."""
    if not versions:
        return None
    first, standing = versions[0], versions[-1]
    if not _to_come(sheet, standing.group_id):
        return None
    zone = ZoneInfo(sheet.orders[standing.order_id].channel.timezone)
    agreed = _agreed(first, before)
    day = None if unknown else standing.deliver_latest
    if day is not None and day.astimezone(zone).date() <= agreed.astimezone(zone).date():
        return None
    if any(_covers(question, day) for question in before if question.answered_at is None):
        return None
    number = len(before) + 1
    mild = number == 1 and day is not None and day - first.deliver_latest <= policy.silence_within
    consents = mild or not policy.cancel_on_silence
    until = day if consents and day is not None else max(at + policy.answer_within, agreed)
    return ConsentQuestion(
        id=ids.uuid7(),
        account_id=standing.account_id,
        order_id=standing.order_id,
        group_id=standing.group_id,
        promise_id=standing.pk,
        number=number,
        first_latest=first.deliver_latest,
        asked_latest=day,
        silence=Silence.CONSENT if consents else Silence.CANCEL,
        until=max(at, until),
        asked_at=at,
    )


def _agreed(first: Promise, before: Sequence[ConsentQuestion]) -> datetime:
    """The last day that the buyer has agreed to: of an accepted delay, else of the first promise."""
    accepted = [
        question.asked_latest
        for question in before
        if question.answered_at is not None
        and question.answer.choice == ConsentChoice.ACCEPT
        and question.asked_latest is not None
    ]
    return max([first.deliver_latest, *accepted])


def _covers(question: ConsentQuestion, day: datetime | None) -> bool:
    """Whether the open question is about this day already, or a later one."""
    if day is None or question.asked_latest is None:
        return question.asked_latest is None
    return day <= question.asked_latest


def _to_come(sheet: Sheet, group_id: UUID) -> int:
    return sum(
        getattr(line, bucket)
        for line in lines_of_group(sheet, group_id)
        if line.kind == LineKind.STOCK
        for bucket in _TO_COME
    )


def _replace_open(questions: Sequence[ConsentQuestion], *, at: datetime, actor: Actor) -> None:
    for question in questions:
        if question.answered_at is None:
            _close(question, ConsentChoice.REPLACED, ConsentBy.SYSTEM, at=at, actor=actor)


def _close(
    question: ConsentQuestion,
    choice: str,
    by: str,
    *,
    text: str = SYSTEM_TEXT,
    language: str = "en",
    cancelled: int = 0,
    at: datetime,
    actor: Actor,
) -> ConsentAnswer:
    question.answered_at = at
    question.save(update_fields=["answered_at"])
    answer: ConsentAnswer = ConsentAnswer.objects.create(
        id=ids.uuid7(),
        account_id=question.account_id,
        question=question,
        choice=choice,
        by=by,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_name=actor.name[:120],
        text=text,
        language=language,
        cancelled_units=cancelled,
        at=at,
    )
    return answer


@transaction.atomic
def answer_consent(given: ConsentGiven, *, at: datetime, actor: Actor) -> ConsentAnswer:
    """Have the buyer's answer take effect, once; the same answer again is the first one.

    Raises NotFound beyond the scope, Invalid for no answer, and Conflict where the question was
    answered otherwise or has fallen away.
    """
    if given.choice not in _SAID:
        raise Invalid("Accept the new date, or cancel.")
    found = ConsentQuestion.objects.for_scope(actor.scope).filter(pk=given.question_id).first()
    if found is None:
        raise NotFound("There is no such question.")
    sheet = open_sheet([found.order_id])
    question = (
        ConsentQuestion.objects.for_scope(ALL_ACCOUNTS).select_related("answer").get(pk=found.pk)
    )
    if question.answered_at is not None:
        if question.answer.choice == given.choice:
            known: ConsentAnswer = question.answer
            return known
        raise Conflict(f"It was answered before: {question.answer.get_choice_display().lower()}.")
    return _take_effect(
        sheet, question, given.choice, given.by, given.text, given.language, at=at, actor=actor
    )


def _take_effect(
    sheet: Sheet,
    question: ConsentQuestion,
    choice: str,
    by: str,
    text: str,
    language: str,
    *,
    at: datetime,
    actor: Actor,
) -> ConsentAnswer:
    """Tell of the answer, cancel what is to be cancelled, and write the proof down."""
    if choice != ConsentChoice.ACCEPT and not _to_come(sheet, question.group_id):
        choice, by = ConsentChoice.GONE, ConsentBy.SYSTEM
    sheet.tell(
        question.order_id,
        GIVEN,
        {
            "group_id": str(question.group_id),
            "question_id": str(question.pk),
            "choice": str(choice),
            "by": str(by),
        },
    )
    sheet.write(at=at, actor=actor, reason="consent")
    cancelled = 0
    if choice in {ConsentChoice.CANCEL_LATE, ConsentChoice.CANCEL_ALL}:
        cancelled = _cancel(sheet, question, choice, by, at=at, actor=actor)
    return _close(
        question,
        choice,
        by,
        text=text,
        language=language,
        cancelled=cancelled,
        at=at,
        actor=actor,
    )


def _cancel(
    sheet: Sheet, question: ConsentQuestion, choice: str, by: str, *, at: datetime, actor: Actor
) -> int:
    """Cancel what is late, or all that has not left; answers the units that go or are asked back."""
    late = _wanted(sheet, question.group_id, ("pending", "backordered"))
    units = late if choice == ConsentChoice.CANCEL_LATE and late else None
    wanted = units or _wanted(sheet, question.group_id, _TO_COME)
    silent = by == ConsentBy.SILENCE
    reason = "nobody agreed to the delay" if silent else "the buyer did not want to wait"
    initiator = Initiator.SYSTEM if silent else Initiator.BUYER
    outcomes = cancel_units(
        [
            CancelRequest(question.order_id, line_id, many, reason, initiator.value)
            for line_id, many in wanted.items()
        ],
        at=at,
        actor=actor,
    )
    return sum(one.value.cancelled + one.value.asked for one in outcomes if one.value is not None)


def _wanted(sheet: Sheet, group_id: UUID, buckets: Sequence[str]) -> dict[UUID, int]:
    """Units per line of the group in these buckets."""
    counted = {
        line.id: sum(getattr(line, bucket) for bucket in buckets)
        for line in lines_of_group(sheet, group_id)
        if line.kind != LineKind.KIT
    }
    return {line_id: units for line_id, units in counted.items() if units}


def end_consents(limit: int, *, at: datetime, actor: Actor) -> int:
    """Have silence take effect where the time to answer is over. Answers how many questions ended.

    Each in a transaction of its own: what one order refuses keeps no other waiting.
    """
    due = list(
        ConsentQuestion.objects.for_scope(ALL_ACCOUNTS)
        .filter(answered_at__isnull=True, until__lte=at)
        .order_by("until")
        .values_list("pk", flat=True)[:limit]
    )
    return sum(_end(question_id, at=at, actor=actor) for question_id in due)


@transaction.atomic
def _end(question_id: UUID, *, at: datetime, actor: Actor) -> bool:
    question = ConsentQuestion.objects.for_scope(ALL_ACCOUNTS).get(pk=question_id)
    sheet = open_sheet([question.order_id], skip_locked=True)
    if question.order_id not in sheet.orders:
        return False
    question.refresh_from_db()
    if question.answered_at is not None:
        return False
    if not _to_come(sheet, question.group_id):
        _close(question, ConsentChoice.GONE, ConsentBy.SYSTEM, at=at, actor=actor)
        return True
    choice = _MEANS[Silence(question.silence)]
    _take_effect(sheet, question, choice, ConsentBy.SILENCE, SYSTEM_TEXT, "en", at=at, actor=actor)
    return True


_MEANS: Final[Mapping[Silence, ConsentChoice]] = {
    Silence.CONSENT: ConsentChoice.ACCEPT,
    Silence.CANCEL: ConsentChoice.CANCEL_ALL,
}
