"""The carrier that an integrator describes, behind the carriers port."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

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
from integrations.carriers import generic, pointers
from integrations.carriers.asking import Reply, ask, document, minor_units, portions
from integrations.carriers.easypost_client import track_answer
from integrations.carriers.pointers import at, text_at
from integrations.carriers.reading import Reading, UnreadableTracking, mapping
from integrations.connections import Secrets
from integrations.types import ConnectionRef


class GenericCarrier:
    """Implements `fulfillment.carriers.Carrier` by the description in the connection's settings."""

    def __init__(self, ref: ConnectionRef) -> None:
        self._ref = ref
        self._settings = ref.settings
        self._client = connections.client(ref, headers=self._credentials)

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        described = self._part("label")
        if not described:
            return LabelAnswer(
                LabelStatus.REFUSED, code="no-labels", message="This carrier sells no labels."
            )
        reply = self._ask(described, _of_label(request, self._settings), key=request.key)
        if reply.status is LabelStatus.DONE:
            return self._label(reply.answer.body)
        return LabelAnswer(reply.status, **self._refusal(described, reply))

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        described = self._part("find")
        if not described:
            # It answers a repeated key with the first label: buying again is how it is found.
            return None
        reply = self._ask(described, _of_label(request, self._settings))
        if reply.answer.status == HTTPStatus.NOT_FOUND:
            return None
        if reply.status is not LabelStatus.DONE:
            return LabelAnswer(LabelStatus.UNKNOWN, code=reply.code, message=reply.message)
        found = at(reply.answer.body, str(described.get("at", "")))
        found = found[0] if isinstance(found, list) and found else found
        return self._label(found) if isinstance(found, Mapping) else None

    def void_label(self, tracking_number: str) -> VoidAnswer:
        described = self._part("void")
        if not described:
            return VoidAnswer(LabelStatus.REFUSED, "no-voids", "This carrier takes no label back.")
        reply = self._ask(described, {"tracking_number": tracking_number})
        if reply.status is not LabelStatus.DONE:
            return VoidAnswer(reply.status, **self._refusal(described, reply))
        result = text_at(reply.answer.rows or reply.answer.body, str(described.get("result", "")))
        if "done" in described and result not in described["done"]:
            return VoidAnswer(LabelStatus.REFUSED, result[:64], "The label is not taken back.")
        return VoidAnswer(LabelStatus.DONE)

    def manifest(self, request: ManifestRequest) -> ManifestAnswer:
        described = self._part("manifest")
        if not described:
            return ManifestAnswer(LabelStatus.DONE, request.manifest_number)
        values = {
            "key": request.key,
            "manifest_number": request.manifest_number,
            "day": request.day.isoformat(),
            "tracking_numbers": [parcel.tracking_number for parcel in request.parcels],
            **_address("ship_from", request.ship_from),
        }
        reply = self._ask(described, values, key=request.key)
        if reply.status is not LabelStatus.DONE:
            return ManifestAnswer(reply.status, **self._refusal(described, reply))
        return ManifestAnswer(
            LabelStatus.DONE,
            text_at(reply.answer.body, str(described.get("reference", ""))),
            self._document(described, reply.answer.body) or b"",
        )

    def track(self, tracking_numbers: Sequence[str]) -> TrackAnswer:
        described = self._part("track")
        if not described.get("path"):
            return TrackAnswer(unasked=tuple(tracking_numbers))
        readings: dict[str, Reading] = {}
        unasked: list[str] = []
        for numbers in portions(tracking_numbers, int(described.get("at_once", 1))):
            values = {"tracking_number": numbers[0], "tracking_numbers": ",".join(numbers)}
            reply = self._ask(described, values, body={"tracking_numbers": list(numbers)})
            if reply.status is LabelStatus.DONE:
                readings |= self._readings(reply)
            elif reply.answer.status != HTTPStatus.NOT_FOUND:
                unasked += numbers
        return track_answer(tracking_numbers, readings, unasked)

    def tracking_url(self, tracking_number: str) -> str:
        page = str(self._settings.get("tracking_url", ""))
        return pointers.path(page, {"number": tracking_number})

    def _credentials(self, held: Secrets) -> Mapping[str, str]:
        """The headers of `auth`: names to values in which `{access_token}` stands for the secret."""
        described = mapping(self._settings.get("auth")) or {
            "Authorization": "Bearer {access_token}"
        }
        return {name: str(pointers.filled(value, held)) for name, value in described.items()}

    def _part(self, name: str) -> Mapping[str, Any]:
        return mapping(self._settings.get(name))

    def _ask(
        self,
        described: Mapping[str, Any],
        values: Mapping[str, Any],
        *,
        key: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        template = described.get("body")
        return ask(
            self._client,
            str(described.get("method", "GET" if template is None and not key else "POST")),
            pointers.path(str(described["path"]), values),
            json=pointers.filled(template, {**values, **(body or {})}) if template else None,
            key=key,
        )

    def _readings(self, reply: Reply) -> dict[str, Reading]:
        try:
            found = generic.read(
                reply.answer.rows or reply.answer.body,
                self._settings,
                source=self._ref.code,
                carrier_code=self._ref.carrier_code,
            )
        except UnreadableTracking:
            return {}
        return {reading.tracking_number: reading for reading in found}

    def _label(self, answer: Mapping[str, Any]) -> LabelAnswer:
        described = self._part("label")
        number = text_at(answer, str(described.get("number", "/tracking_number")))
        content = self._document(described, answer)
        if not number or content is None:
            return LabelAnswer(
                LabelStatus.UNKNOWN, message="The label was bought and cannot be read yet."
            )
        cost = text_at(answer, str(described.get("cost", "")))
        currency = text_at(answer, str(described.get("currency", ""))) or str(
            self._settings.get("currency", "")
        )
        in_minor = described.get("cost_in") == "minor"
        return LabelAnswer(
            LabelStatus.DONE,
            number,
            content,
            str(described.get("media_type", "application/pdf")),
            (int(cost) if in_minor else minor_units(cost, currency)) if cost else None,
            currency,
        )

    def _document(self, described: Mapping[str, Any], answer: Mapping[str, Any]) -> bytes | None:
        """The document within the answer (base64), or behind the address that it names."""
        inside = text_at(answer, str(described.get("document", "")))
        if inside:
            try:
                return base64.b64decode(inside, validate=True)
            except binascii.Error:
                return None
        url = text_at(answer, str(described.get("url", "")))
        hosts = list(self._settings.get("label_hosts", ()))
        return document(self._client, self._ref.base_url, url, hosts) if url else None

    def _refusal(self, described: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
        said = reply.answer.body
        return {
            "code": (text_at(said, str(described.get("code", "/code"))) or reply.code)[:64],
            "message": (text_at(said, str(described.get("message", "/message"))) or reply.message)[
                :200
            ],
            "after_seconds": reply.after_seconds,
        }


def _of_label(request: LabelRequest, settings: Mapping[str, Any]) -> dict[str, Any]:
    services = mapping(settings.get("services"))
    return {
        "key": request.key,
        "parcel_number": request.parcel_number,
        "order_number": request.order_number,
        "service": services.get(request.service_code, request.service_code),
        "weight_grams": request.weight_grams,
        "weight_kg": request.weight_grams / 1000,
        **_address("ship_from", request.ship_from),
        **_address("ship_to", request.ship_to),
    }


def _address(prefix: str, address: PostalAddress) -> dict[str, str]:
    return {f"{prefix}.{name}": value for name, value in asdict(address).items()}
