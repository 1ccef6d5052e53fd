"""Labels: asked for by a command, bought by a task with no transaction open, recorded by another.

A label shows a name and an address. The document is sealed with the person's key as soon as the
carrier has answered, and travels through no intent.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, clock, vault
from config.kernel.services import intents
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment import carriers
from fulfillment.carriers import Carrier, LabelAnswer, LabelRequest, LabelStatus, PostalAddress
from fulfillment.models import FulfillmentOrder, Label, Parcel
from fulfillment.selectors import destinations_of, postal_address
from fulfillment.services.parcels import standings, write_parcels
from fulfillment.services.work import Work, not_found, not_now, open_parcels
from fulfillment.states import ParcelState
from fulfillment.types import ParcelStanding

BUY = "carrier.label"
VOID = "carrier.void"
PAPER = "paper"
"""The carrier of services that name none: a label without a contract."""


@transaction.atomic
def request_labels(
    parcel_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """Ask the carriers for labels; they come later. One outcome per parcel, in order.

    A parcel that has a label, or has been asked for one without answer yet, is a repeat.
    """
    work = open_parcels(parcel_ids, scope=actor.scope)
    codes = _carrier_codes(work)
    was: dict[UUID, str] = {}
    verdicts = [_ask(work, parcel_id, was) for parcel_id in parcel_ids]
    asked = [work.parcels[parcel_id] for parcel_id in sorted(was)]
    write_parcels(
        work, asked, was, topic="parcel.label_asked", reason="label asked", at=at, actor=actor
    )
    intents.add(
        [
            NewIntent(
                BUY,
                f"{parcel.pk}:{parcel.label_asked}",
                "parcel",
                parcel.pk,
                parcel.account_id,
                {"carrier": codes[parcel.fulfillment_order_id]},
            )
            for parcel in asked
        ],
        at=at,
        actor=actor,
    )
    return standings(work.parcels, verdicts)


def _ask(work: Work, parcel_id: UUID, was: dict[UUID, str]) -> Outcome[UUID]:
    parcel = work.parcels.get(parcel_id)
    if parcel is None:
        return not_found("parcel")
    if parcel.label_pending or parcel.state in {ParcelState.LABELLED, ParcelState.MANIFESTED}:
        return Outcome.repeated(parcel_id)
    if parcel.state != ParcelState.PACKED:
        return not_now(parcel, f"{parcel.number} is {parcel.get_state_display().lower()}.")
    was[parcel_id] = parcel.state
    parcel.label_asked += 1
    parcel.label_pending = True
    return Outcome.done(parcel_id)


def _carrier_codes(work: Work) -> dict[UUID, str]:
    """The carrier of each fulfillment order's service, where its account is connected; or paper."""
    known = carriers.connected_by_account({order.account_id for order in work.orders.values()})
    named = (
        FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(work.orders))
        .values_list("pk", "account_id", "service_level__carrier__code")
    )
    return {
        order_id: code if code in known[account_id] else PAPER
        for order_id, account_id, code in named
    }


def buy(intent: LeasedIntent) -> Answer:
    """Buy the label of an intent and keep its document; called with no transaction open."""
    gone = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
        pk=intent.subject_id, state=ParcelState.VOIDED
    )
    if gone.exists():
        return Answer.refused("The parcel was opened again.", code="voided")
    request = request_of(intent)
    return _kept(intent, request, _carrier_of(intent).buy_label(request))


def find(intent: LeasedIntent) -> Answer | None:
    """What became of an earlier call for this label; None when the carrier never had it."""
    request = request_of(intent)
    found = _carrier_of(intent).find_label(request)
    return _kept(intent, request, found) if found else None


def _carrier_of(intent: LeasedIntent) -> Carrier:
    return carriers.carrier(intent.payload["carrier"], intent.account_id)


def request_of(intent: LeasedIntent) -> LabelRequest:
    """What the carrier is asked, addresses opened."""
    parcel = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .select_related(
            "fulfillment_order__order",
            "fulfillment_order__node",
            "fulfillment_order__service_level",
        )
        .get(pk=intent.subject_id)
    )
    order = parcel.fulfillment_order
    node = order.node
    return LabelRequest(
        key=intent.key,
        parcel_number=parcel.number,
        order_number=order.order.number,
        service_code=order.service_level.code if order.service_level else "",
        weight_grams=parcel.weight_grams,
        ship_from=PostalAddress(
            name=node.name,
            line1=node.line1,
            city=node.city,
            region=node.region,
            postal_code=node.postal_code,
            country=node.country,
        ),
        ship_to=postal_address(destinations_of([order.pk])[order.pk].address),
    )


def _kept(intent: LeasedIntent, request: LabelRequest, answer: LabelAnswer) -> Answer:
    """Seal and store the document, and turn the carrier's words into the kernel's."""
    if answer.status is LabelStatus.UNKNOWN:
        return Answer.unknown(answer.message or "The carrier did not answer.")
    if answer.status is LabelStatus.RETRY:
        return Answer.retry(
            answer.message or "The carrier is not to be had.",
            after_seconds=answer.after_seconds or None,
            asked=not answer.after_seconds,
        )
    if answer.status is LabelStatus.REFUSED:
        return Answer.refused(answer.message or answer.code, code=answer.code)
    _store(intent, answer)
    return Answer.done(tracking_number=answer.tracking_number, carrier=intent.payload["carrier"])


def _store(intent: LeasedIntent, answer: LabelAnswer) -> None:
    order_id, account_id = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .values_list("fulfillment_order_id", "account_id")
        .get(pk=intent.subject_id)
    )
    key_id = destinations_of([order_id])[order_id].key_id
    document = vault.seal(key_id, {"document": base64.b64encode(answer.document).decode()})
    Label.objects.bulk_create(
        [
            Label(
                account_id=account_id,
                parcel_id=intent.subject_id,
                key=intent.key,
                carrier_code=intent.payload["carrier"],
                tracking_number=answer.tracking_number,
                sealed_with=key_id,
                document=document,
                media_type=answer.media_type,
                cost_minor=answer.cost_minor,
                currency=answer.currency,
                bought_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def record_label(
    intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor
) -> ParcelStanding | None:
    """Record what the carrier answered. A label that the parcel has no use for goes back: it was
    opened meanwhile, or left under another number.

    A refusal becomes a case; the label may be asked for again. One that was given up while it may
    have been bought is waited for: its intent is dead, with a case, and revived it is looked up.
    """
    work = open_parcels([intent.subject_id], scope=ALL_ACCOUNTS)
    parcel = work.parcels[intent.subject_id]
    was = {parcel.pk: parcel.state}
    number = str(answer.data.get("tracking_number", ""))
    topic = "parcel.labelled"
    if answer.kind is AnswerKind.UNKNOWN:
        return standings(work.parcels, [Outcome.done(parcel.pk)])[0].value
    parcel.label_pending = False
    if answer.kind is AnswerKind.REFUSED:
        topic = "parcel.label_refused"
        _report_refusal(work, parcel, answer, at=at)
    elif parcel.state in {ParcelState.PACKED, ParcelState.LABELLED}:
        parcel.label(
            carrier_code=answer.data["carrier"],
            tracking_number=number,
            at=at,
        )
    elif parcel.state == ParcelState.VOIDED or parcel.tracking_number not in {"", number}:
        topic = "parcel.label_given_back"
        give_back_labels([parcel], at=at, actor=actor)
    else:
        parcel.note_label(carrier_code=answer.data["carrier"], tracking_number=number, at=at)
    write_parcels(work, [parcel], was, topic=topic, reason="label", at=at, actor=actor)
    return standings(work.parcels, [Outcome.done(parcel.pk)])[0].value


def _report_refusal(work: Work, parcel: Parcel, answer: Answer, *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                "LABEL_REFUSED",
                "parcel",
                parcel.pk,
                parcel.account_id,
                evidence={"parcel": parcel.number, "code": answer.data.get("code", "")},
                cause=f"carrier:{answer.data.get('code', '')}",
                thread_id=work.orders[parcel.fulfillment_order_id].order_id,
            )
        ],
        at=at,
    )


def give_back_labels(parcels: Sequence[Parcel], *, at: datetime, actor: Actor) -> None:
    """Have the unused labels of these parcels given back, in the caller's transaction."""
    if not parcels:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_label SET voided_at = %s
            WHERE parcel_id = ANY(%s) AND voided_at IS NULL
            RETURNING key, parcel_id, account_id, carrier_code, tracking_number
            """,
            [at, [parcel.pk for parcel in parcels]],
        )
        unused = cursor.fetchall()
    intents.add(
        [
            NewIntent(
                VOID,
                key,
                "parcel",
                parcel_id,
                account_id,
                {"carrier": carrier_code, "tracking_number": tracking_number},
            )
            for key, parcel_id, account_id, carrier_code, tracking_number in unused
        ],
        at=at,
        actor=actor,
    )


def void(intent: LeasedIntent) -> Answer:
    """Give one label back to its carrier; called with no transaction open."""
    answer = _carrier_of(intent).void_label(intent.payload["tracking_number"])
    if answer.status in {LabelStatus.UNKNOWN, LabelStatus.RETRY}:
        # Voiding twice is harmless: ask again.
        return Answer.retry(
            answer.message or "The carrier did not answer.",
            after_seconds=answer.after_seconds or None,
            asked=not answer.after_seconds,
        )
    if answer.status is LabelStatus.REFUSED:
        return Answer.refused(answer.message or answer.code, code=answer.code)
    return Answer.done()


@transaction.atomic
def record_void(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """A label that the carrier will not take back is paid for: that is a case."""
    del actor
    if answer.kind is AnswerKind.DONE:
        return
    case_reports.report(
        [
            case_reports.Report(
                "LABEL_NOT_VOIDED",
                "parcel",
                intent.subject_id,
                intent.account_id,
                evidence={"tracking_number": intent.payload["tracking_number"]},
                cause=f"carrier:{intent.payload['carrier']}",
            )
        ],
        at=at,
    )


def run_label_items(
    parcel_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """One chunk of the job that asks for the labels of many parcels."""
    del params
    return request_labels(parcel_ids, at=at, actor=actor)
