"""Labels for the way back: asked for when a return is let in, bought with no transaction open.

A label shows a name and an address. The document is sealed with the person's key as soon as the
carrier has answered, and travels through no intent.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from config.kernel import clock, vault
from config.kernel.errors import Conflict
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment import carriers
from fulfillment.carriers import Carrier, LabelAnswer, LabelRequest, LabelStatus, PostalAddress
from orders.selectors import Destination, creditable_lines, destinations, order_heads
from returns.facts import OrderFacts
from returns.models import Return, ReturnLabel, ReturnLine
from returns.services.work import open_returns, owner_of
from returns.states import EXPECTED, PaidBy

BUY = "returns.label"
PAPER = "paper"
"""The carrier of who named none: a label without a contract."""


def ask_labels(returned: Sequence[Return], facts: Mapping[UUID, OrderFacts]) -> list[NewIntent]:
    """What is to be asked of carriers for these returns: by whom the goods came they go back.

    Whoever keeps the goods, or pays for the way back, needs none of ours.
    """
    known = carriers.connected_by_account({one.account_id for one in returned})
    asked = []
    for one in returned:
        if one.keep or one.node_id is None or one.label_paid_by != PaidBy.MERCHANT:
            continue
        one.label_asked += 1
        one.label_pending = True
        brought = facts[owner_of(one)].carriers.values()
        code = next((code for code in brought if code in known[one.account_id]), PAPER)
        asked.append(
            NewIntent(
                BUY,
                f"{one.pk}:{one.label_asked}",
                "return",
                one.pk,
                one.account_id,
                {"carrier": code},
            )
        )
    return asked


def buy(intent: LeasedIntent) -> Answer:
    """Buy the label of an intent and keep its document; called with no transaction open."""
    returned = _returned(intent)
    if returned.state not in EXPECTED:
        return Answer.refused("Nothing is expected any more.", code="not-expected")
    place = _home(returned)
    if place is None:
        return Answer.refused("The buyer was erased.", code="erased")
    request = _request(intent, returned, place)
    answer = _carrier_of(intent).buy_label(request)
    return _kept(intent, returned, place, answer)


def find(intent: LeasedIntent) -> Answer | None:
    """What became of an earlier call for this label; None when the carrier never had it."""
    returned = _returned(intent)
    place = _home(returned)
    if place is None:
        return None
    request = _request(intent, returned, place)
    found = _carrier_of(intent).find_label(request)
    return _kept(intent, returned, place, found) if found else None


def _carrier_of(intent: LeasedIntent) -> Carrier:
    return carriers.carrier(intent.payload["carrier"], intent.account_id)


def _returned(intent: LeasedIntent) -> Return:
    found: Return = (
        Return.objects.for_scope(ALL_ACCOUNTS).select_related("node").get(pk=intent.subject_id)
    )
    return found


def _home(returned: Return) -> Destination | None:
    """Where the goods are: where the group of the first line went."""
    line_ids = set(
        ReturnLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(returned_id=returned.pk)
        .values_list("order_line_id", flat=True)
    )
    groups = [
        line.group_id
        for line in creditable_lines([owner_of(returned)], ALL_ACCOUNTS)
        if line.line_id in line_ids
    ]
    found = destinations(groups[:1])
    return next(iter(found.values()), None)


def _request(intent: LeasedIntent, returned: Return, place: Destination) -> LabelRequest:
    order_id = owner_of(returned)
    head = order_heads([order_id], ALL_ACCOUNTS)[order_id]
    grams = (
        ReturnLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(returned_id=returned.pk)
        .aggregate(grams=Sum(F("requested") * F("sku__weight_grams")))["grams"]
    )
    address, node = place.address, returned.node
    if node is None:
        raise Conflict("Nobody knows where the goods are to go.")
    return LabelRequest(
        key=intent.key,
        parcel_number=returned.number,
        order_number=head.number,
        service_code="return",
        weight_grams=grams or 0,
        ship_from=PostalAddress(
            name=address.name,
            company=address.company,
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
            phone=address.phone,
        ),
        ship_to=PostalAddress(
            name=node.name,
            line1=node.line1,
            city=node.city,
            region=node.region,
            postal_code=node.postal_code,
            country=node.country,
        ),
        references={"return": returned.number},
    )


def _kept(
    intent: LeasedIntent, returned: Return, place: Destination, answer: LabelAnswer
) -> Answer:
    """Seal and store the document, and turn the carrier's words into the kernel's."""
    if answer.status is LabelStatus.UNKNOWN:
        return Answer.unknown(answer.message or "The carrier did not answer.")
    if answer.status is LabelStatus.REFUSED:
        return Answer.refused(answer.message or answer.code, code=answer.code)
    document = vault.seal(place.key_id, {"document": base64.b64encode(answer.document).decode()})
    ReturnLabel.objects.bulk_create(
        [
            ReturnLabel(
                account_id=returned.account_id,
                returned_id=returned.pk,
                key=intent.key,
                carrier_code=intent.payload["carrier"],
                tracking_number=answer.tracking_number,
                sealed_with=place.key_id,
                document=document,
                media_type=answer.media_type,
                cost_minor=answer.cost_minor,
                currency=answer.currency,
                bought_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    return Answer.done(tracking_number=answer.tracking_number, carrier=intent.payload["carrier"])


@transaction.atomic
def record_label(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down what the carrier answered. A refusal is a case; the buyer can still send it."""
    work = open_returns([intent.subject_id], scope=ALL_ACCOUNTS)
    returned = work.returns[intent.subject_id]
    if answer.kind is AnswerKind.UNKNOWN:
        return
    returned.label_pending = False
    if answer.kind is AnswerKind.REFUSED:
        work.tell(returned, "return.label_refused")
        work.report("RETURN_LABEL_REFUSED", returned, code=answer.data.get("code", ""))
    else:
        returned.carrier_code = str(answer.data["carrier"])
        returned.tracking_number = str(answer.data.get("tracking_number", ""))
        work.tell(returned, "return.labelled", carrier=returned.carrier_code)
    work.write(at=at, actor=actor, reason="label")
