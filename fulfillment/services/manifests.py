"""The end of a node's day: what is labelled goes onto one list per carrier, and with it to the carrier."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from config.kernel import case_reports, events, ids
from config.kernel.errors import Conflict
from config.kernel.services import intents
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment import carriers
from fulfillment.carriers import (
    LabelStatus,
    ManifestAnswer,
    ManifestParcel,
    ManifestRequest,
    PostalAddress,
)
from fulfillment.models import Label, Manifest, ManifestLine, Parcel
from fulfillment.services.nodes import nodes_of
from fulfillment.services.pack import manifest_opened
from fulfillment.services.parcels import contents_of, next_numbers
from fulfillment.services.ship import hand_over
from fulfillment.services.tracing import traces_of
from fulfillment.services.work import Work, open_parcels
from fulfillment.states import READY_FOR_CARRIER
from fulfillment.types import ClosedManifest, Shipment

ANNOUNCE = "carrier.manifest"
MOST_PARCELS = 1_000
"""On one closing; what is beyond it goes onto the next."""
_NUMBERS = ("M-", "fulfillment_manifest_number")


@transaction.atomic
def close_manifest(
    node_id: int, carrier_code: str, *, at: datetime, actor: Actor
) -> list[ClosedManifest]:
    """Hand everything that is labelled for the carrier over: labelled → manifested → handed over.

    One manifest per account whose parcels are among it. What the law wants more of on record stays.
    Raises Conflict when nothing waits, or nothing may leave.
    """
    waiting = (
        Parcel.objects.for_scope(actor.scope)
        .at_nodes([node_id])
        .filter(state__in=READY_FOR_CARRIER, carrier_code=carrier_code)
        .order_by("pk")
        .values_list("pk", flat=True)[:MOST_PARCELS]
    )
    work = open_parcels(list(waiting), scope=actor.scope)
    leaving = [parcel for parcel in work.parcels.values() if parcel.state in READY_FOR_CARRIER]
    if not leaving:
        raise Conflict("No labelled parcel waits here for this carrier.", reason="nothing-waits")
    inside = contents_of([parcel.pk for parcel in leaving])
    traces = traces_of(work, leaving, inside)
    leaving = [parcel for parcel in leaving if parcel.pk not in traces.missing]
    if not leaving:
        words = next(iter(traces.missing.values()))
        raise Conflict(f"Nothing may leave: missing is {', '.join(words)}.", reason="not-traced")
    manifest_opened(work, leaving, at=at, actor=actor)
    closed = _close(work, leaving, node_id, carrier_code, at=at, actor=actor)
    shipments = {parcel.pk: Shipment(parcel.pk) for parcel in leaving}
    hand_over(work, shipments, inside, traces, at=at, actor=actor)
    _announce(closed, at=at, actor=actor)
    return closed


def _close(
    work: Work,
    parcels: Sequence[Parcel],
    node_id: int,
    carrier_code: str,
    *,
    at: datetime,
    actor: Actor,
) -> list[ClosedManifest]:
    """Write the lists, each with its event."""
    listed: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for parcel in parcels:
        listed[parcel.account_id].append(parcel.pk)
    zone = ZoneInfo(nodes_of(listed)[node_id].timezone)
    manifests = [
        Manifest(
            id=ids.uuid7(),
            number=number,
            account_id=account_id,
            node_id=node_id,
            carrier_code=carrier_code,
            day=at.astimezone(zone).date(),
            closed_at=at,
        )
        for account_id, number in zip(
            sorted(listed), next_numbers(*_NUMBERS, len(listed)), strict=True
        )
    ]
    Manifest.objects.bulk_create(manifests)
    ManifestLine.objects.bulk_create(
        ManifestLine(account_id=one.account_id, manifest_id=one.pk, parcel_id=parcel_id)
        for one in manifests
        for parcel_id in listed[one.account_id]
    )
    events.record(
        [_fact(one, len(listed[one.account_id])) for one in manifests], at=at, actor=actor
    )
    return [
        ClosedManifest(one.pk, one.number, carrier_code, len(listed[one.account_id]))
        for one in manifests
    ]


def _announce(closed: Sequence[ClosedManifest], *, at: datetime, actor: Actor) -> None:
    """Have the carriers told of the lists, where the account is connected with them."""
    accounts = dict(
        Manifest.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[one.manifest_id for one in closed])
        .values_list("pk", "account_id")
    )
    known = carriers.connected_by_account(set(accounts.values()))
    intents.add(
        [
            NewIntent(
                ANNOUNCE,
                one.number,
                "manifest",
                one.manifest_id,
                accounts[one.manifest_id],
                {"carrier": one.carrier_code},
            )
            for one in closed
            if one.carrier_code in known[accounts[one.manifest_id]]
        ],
        at=at,
        actor=actor,
    )


def announce(intent: LeasedIntent) -> Answer:
    """Tell one carrier of its list; called with no transaction open.

    A parcel without a label of this carrier's is not on it: the carrier knows no key for it.
    """
    request = request_of(intent.subject_id, intent.key)
    if not request.parcels:
        return Answer.done(reference="")
    carrier = carriers.carrier(intent.payload["carrier"], intent.account_id)
    answer = carrier.manifest(request)
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
    _keep_document(intent.subject_id, answer)
    return Answer.done(reference=answer.reference)


def request_of(manifest_id: UUID, key: str) -> ManifestRequest:
    """What the carrier is told: the parcels still on the list, by the keys of their labels."""
    manifest = Manifest.objects.for_scope(ALL_ACCOUNTS).select_related("node").get(pk=manifest_id)
    node = manifest.node
    rows = (
        Label.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            parcel__manifest_lines__manifest_id=manifest_id,
            parcel__manifest_lines__taken_back_at__isnull=True,
            carrier_code=manifest.carrier_code,
            voided_at__isnull=True,
        )
        .order_by("parcel_id", "bought_at")
        .values_list("parcel_id", "key", "parcel__number", "tracking_number")
    )
    latest = {parcel_id: ManifestParcel(*label) for parcel_id, *label in rows}
    return ManifestRequest(
        key=key,
        manifest_number=manifest.number,
        day=manifest.day,
        ship_from=PostalAddress(
            name=node.name,
            line1=node.line1,
            city=node.city,
            region=node.region,
            postal_code=node.postal_code,
            country=node.country,
        ),
        parcels=tuple(latest.values()),
    )


def _keep_document(manifest_id: UUID, answer: ManifestAnswer) -> None:
    """The document is too big for an intent's answer; kept before it, asking again gives it again."""
    Manifest.objects.for_scope(ALL_ACCOUNTS).filter(pk=manifest_id).update(
        carrier_document=answer.document
    )


@transaction.atomic
def record_announcement(
    intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor
) -> None:
    """Note the carrier's number of the list. One it will not have is a case: its driver may still
    take the parcels.
    """
    del actor
    if answer.kind is AnswerKind.DONE:
        Manifest.objects.for_scope(ALL_ACCOUNTS).filter(pk=intent.subject_id).update(
            announced_at=at, carrier_reference=str(answer.data.get("reference", ""))[:64]
        )
        return
    case_reports.report(
        [
            case_reports.Report(
                "MANIFEST_REFUSED",
                "manifest",
                intent.subject_id,
                intent.account_id,
                evidence={"manifest": intent.key, "code": answer.data.get("code", "")},
                cause=f"carrier:{intent.payload['carrier']}",
            )
        ],
        at=at,
    )


def _fact(manifest: Manifest, parcels: int) -> events.Fact:
    return events.Fact(
        "manifest.closed",
        "manifest",
        manifest.pk,
        1,
        manifest.account_id,
        {
            "number": manifest.number,
            "node_id": manifest.node_id,
            "carrier": manifest.carrier_code,
            "day": manifest.day.isoformat(),
            "parcels": parcels,
        },
    )
