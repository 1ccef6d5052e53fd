"""EasyPost behind the carriers port: labels in one call, refunds, scan forms and trackers.

A shipment carries our key as its reference, which EasyPost takes in place of an id: that is how a
label whose answer was lost is found again.
"""

import base64
from collections.abc import Mapping, Sequence
from decimal import ROUND_UP, Decimal
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fulfillment.carriers import (
    LabelAnswer,
    LabelRequest,
    LabelStatus,
    ManifestAnswer,
    ManifestRequest,
    PostalAddress,
    TrackAnswer,
    VoidAnswer,
)
from integrations import connections
from integrations.carriers import easypost
from integrations.carriers.asking import Reply, ask, document, minor_units, portions
from integrations.carriers.reading import Reading, UnreadableTracking, mapping, objects
from integrations.connections import Secrets
from integrations.types import ConnectionRef

GRAMS_PER_OUNCE: Final = Decimal("28.349523125")
TRACKED_AT_ONCE: Final = 100
FOLLOWED_AT_ONCE: Final = 25
"""Numbers of labels made elsewhere that one turn gives to EasyPost, one request each."""
LABEL_HOSTS: Final = ("easypost-files.s3.us-west-2.amazonaws.com", "files.easypost.com")


def api_key(held: Secrets) -> Mapping[str, str]:
    """The API key is the user of basic authentication, without a password."""
    token = base64.b64encode(f"{held.get('access_token', '')}:".encode()).decode()
    return {"Authorization": f"Basic {token}"}


class EasyPostCarrier:
    """Implements `fulfillment.carriers.Carrier` for one connection.

    Settings: `carrier` as EasyPost names it (USPS), `carrier_accounts`, `services` (our service code
    to theirs), `label_hosts`, `tracking_url` with `{number}` in it, `follow` (labels made elsewhere
    are followed too; EasyPost charges for each).
    """

    def __init__(self, ref: ConnectionRef) -> None:
        self._ref = ref
        self._settings = ref.settings
        self._client = connections.client(ref, headers=api_key)

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        shipment = {
            "reference": request.key,
            "to_address": _address(request.ship_to),
            "from_address": _address(request.ship_from),
            "parcel": {"weight": _ounces(request.weight_grams)},
            "service": self._service(request.service_code),
            "carrier_accounts": list(self._settings.get("carrier_accounts", [])),
            "options": {
                "label_format": "PDF",
                "print_custom_1": request.order_number,
                "print_custom_2": request.parcel_number,
            },
        }
        reply = ask(
            self._client, "POST", "/v2/shipments", json={"shipment": shipment}, key=request.key
        )
        if reply.status is LabelStatus.DONE:
            return self._label(reply.answer.body)
        code, message = _error(reply)
        return LabelAnswer(
            reply.status, code=code, message=message, after_seconds=reply.after_seconds
        )

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        reply = ask(self._client, "GET", f"/v2/shipments/{quote(request.key, safe='')}")
        if reply.status is LabelStatus.DONE:
            return self._label(reply.answer.body) if _bought(reply.answer.body) else None
        if reply.answer.status == HTTPStatus.NOT_FOUND:
            return None
        return LabelAnswer(LabelStatus.UNKNOWN, code=reply.code, message=reply.message)

    def void_label(self, tracking_number: str) -> VoidAnswer:
        asked = {"carrier": self._settings.get("carrier", ""), "tracking_codes": [tracking_number]}
        reply = ask(self._client, "POST", "/v2/refunds", json={"refund": asked})
        if reply.status is not LabelStatus.DONE:
            code, message = _error(reply)
            return VoidAnswer(reply.status, code, message, reply.after_seconds)
        refund = mapping(next(iter(reply.answer.rows), reply.answer.body))
        status = str(refund.get("status", ""))
        if status in {"submitted", "refunded"}:
            return VoidAnswer(LabelStatus.DONE)
        return VoidAnswer(
            LabelStatus.REFUSED, status or "not-refunded", "The label is not taken back."
        )

    def manifest(self, request: ManifestRequest) -> ManifestAnswer:
        # A list whose answer was lost stands on its shipments: a second one would be refused.
        first = ask(self._client, "GET", f"/v2/shipments/{quote(request.parcels[0].key, safe='')}")
        form = mapping(first.answer.body.get("scan_form"))
        if first.status in {LabelStatus.UNKNOWN, LabelStatus.RETRY}:
            return ManifestAnswer(first.status, code=first.code, message=first.message)
        if not form:
            asked = {"shipments": [{"id": parcel.key} for parcel in request.parcels]}
            reply = ask(self._client, "POST", "/v2/scan_forms", json=asked, key=request.key)
            if reply.status is not LabelStatus.DONE:
                code, message = _error(reply)
                return ManifestAnswer(
                    reply.status, code=code, message=message, after_seconds=reply.after_seconds
                )
            form = reply.answer.body
        if form.get("status") == "failed":
            return ManifestAnswer(
                LabelStatus.REFUSED, code="failed", message=str(form.get("message") or "")
            )
        return ManifestAnswer(
            LabelStatus.DONE, str(form.get("id", "")), self._document(form.get("form_url")) or b""
        )

    def track(self, tracking_numbers: Sequence[str]) -> TrackAnswer:
        readings: dict[str, Reading] = {}
        unasked: list[str] = []
        for numbers in portions(tracking_numbers, TRACKED_AT_ONCE):
            asked = {"tracking_codes": list(numbers)}
            reply = ask(self._client, "POST", "/v2/trackers/batch", json=asked)
            if reply.status is not LabelStatus.DONE:
                unasked += numbers
                continue
            readings |= self._readings(objects(reply.answer.body.get("trackers")))
            if self._settings.get("follow"):
                missing = [number for number in numbers if number not in readings]
                for number in missing[:FOLLOWED_AT_ONCE]:
                    readings |= self._follow(number)
                unasked += missing[FOLLOWED_AT_ONCE:]
        return track_answer(tracking_numbers, readings, unasked)

    def tracking_url(self, tracking_number: str) -> str:
        page = str(self._settings.get("tracking_url", ""))
        return page.replace("{number}", quote(tracking_number, safe=""))

    def _readings(self, trackers: Sequence[Mapping[str, Any]]) -> dict[str, Reading]:
        found = {}
        for tracker in trackers:
            try:
                reading = easypost.read_tracker(
                    tracker, source=self._ref.adapter, carrier_code=self._ref.carrier_code
                )
            except UnreadableTracking:
                continue
            found[reading.tracking_number] = reading
        return found

    def _follow(self, number: str) -> dict[str, Reading]:
        """Have EasyPost follow a label that was made elsewhere; what it knows of it."""
        asked = {"tracking_code": number, "carrier": self._settings.get("carrier", "")}
        reply = ask(self._client, "POST", "/v2/trackers", json={"tracker": asked})
        return self._readings([reply.answer.body]) if reply.status is LabelStatus.DONE else {}

    def _service(self, code: str) -> str:
        known = mapping(self._settings.get("services"))
        return str(known.get(code) or known.get("*") or code)

    def _label(self, shipment: Mapping[str, Any]) -> LabelAnswer:
        printed, rate = mapping(shipment["postage_label"]), mapping(shipment.get("selected_rate"))
        content = self._document(printed.get("label_pdf_url") or printed.get("label_url"))
        if content is None:
            return LabelAnswer(
                LabelStatus.UNKNOWN, message="The label was bought and cannot be fetched yet."
            )
        currency = str(rate.get("currency", ""))
        return LabelAnswer(
            LabelStatus.DONE,
            str(shipment.get("tracking_code", "")),
            content,
            "application/pdf",
            minor_units(rate.get("rate"), currency),
            currency,
        )

    def _document(self, url: Any) -> bytes | None:
        hosts = (*LABEL_HOSTS, *self._settings.get("label_hosts", ()))
        return document(self._client, self._ref.base_url, str(url), hosts) if url else None


def track_answer(
    asked: Sequence[str], readings: Mapping[str, Reading], unasked: Sequence[str]
) -> TrackAnswer:
    """What was learnt of the numbers asked about."""
    silent = set(unasked)
    return TrackAnswer(
        tuple(item for number in asked if number in readings for item in readings[number].news),
        tuple(number for number in asked if number not in readings and number not in silent),
        tuple(unasked),
        {
            number: reading.estimate
            for number, reading in readings.items()
            if reading.estimate is not None
        },
    )


def _bought(shipment: Mapping[str, Any]) -> bool:
    return bool(mapping(shipment.get("postage_label")))


def _address(address: PostalAddress) -> dict[str, str]:
    return {
        "name": address.name,
        "company": address.company,
        "street1": address.line1,
        "street2": address.line2,
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
    }


def _ounces(grams: int) -> float:
    """Rounded up to a tenth: a carrier charges what it weighs, not what was meant."""
    return float((Decimal(max(grams, 1)) / GRAMS_PER_OUNCE).quantize(Decimal("0.1"), ROUND_UP))


def _error(reply: Reply) -> tuple[str, str]:
    """Their code and words, without what they repeat of the address."""
    error = mapping(reply.answer.body.get("error"))
    return str(error.get("code") or reply.code)[:64], str(error.get("message") or reply.message)[
        :200
    ]
