"""AfterShip behind the carriers port: it follows parcels of many carriers, and sells no labels."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from fulfillment.carriers import (
    LabelAnswer,
    LabelRequest,
    LabelStatus,
    ManifestAnswer,
    ManifestRequest,
    TrackAnswer,
    VoidAnswer,
)
from integrations import connections
from integrations.carriers import aftership
from integrations.carriers.asking import ask, portions
from integrations.carriers.easypost_client import track_answer
from integrations.carriers.reading import Reading, UnreadableTracking
from integrations.connections import Secrets
from integrations.types import ConnectionRef

TRACKED_AT_ONCE: Final = 50
_NO_LABELS: Final = ("no-labels", "AfterShip follows parcels; it sells no labels.")
_KNOWN_ALREADY: Final = 4003


def api_key(held: Secrets) -> Mapping[str, str]:
    token = held.get("access_token", "")
    return {"as-api-key": token, "aftership-api-key": token}


class AfterShipCarrier:
    """Implements `fulfillment.carriers.Carrier` for one connection, as far as tracking goes.

    Settings: `slug`, the carrier as AfterShip names it (fedex); `version` of the API, v4 unless
    named. A number that AfterShip does not follow yet is given to it, and asked about next time.
    """

    def __init__(self, ref: ConnectionRef) -> None:
        self._ref = ref
        self._root = f"/{ref.settings.get('version', 'v4')}/trackings"
        self._client = connections.client(ref, headers=api_key)

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        del request
        code, message = _NO_LABELS
        return LabelAnswer(LabelStatus.REFUSED, code=code, message=message)

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        del request
        return None

    def void_label(self, tracking_number: str) -> VoidAnswer:
        del tracking_number
        return VoidAnswer(LabelStatus.REFUSED, *_NO_LABELS)

    def manifest(self, request: ManifestRequest) -> ManifestAnswer:
        """AfterShip needs no list: its driver is another's."""
        return ManifestAnswer(LabelStatus.DONE, request.manifest_number)

    def track(self, tracking_numbers: Sequence[str]) -> TrackAnswer:
        readings: dict[str, Reading] = {}
        unasked: list[str] = []
        for numbers in portions(tracking_numbers, TRACKED_AT_ONCE):
            query = urlencode({"tracking_numbers": ",".join(numbers), "limit": TRACKED_AT_ONCE})
            reply = ask(self._client, "GET", f"{self._root}?{query}")
            if reply.status is not LabelStatus.DONE:
                unasked += numbers
                continue
            readings |= self._readings(reply.answer.body)
            unasked += [
                number for number in numbers if number not in readings and self._follow(number)
            ]
        return track_answer(tracking_numbers, readings, unasked)

    def tracking_url(self, tracking_number: str) -> str:
        page = str(self._ref.settings.get("tracking_url", ""))
        return page.replace("{number}", tracking_number)

    def _readings(self, document: Mapping[str, object]) -> dict[str, Reading]:
        found = {}
        for tracking in aftership.trackings_in(document):
            try:
                reading = aftership.read_tracking(
                    tracking, source=self._ref.adapter, carrier_code=self._ref.carrier_code
                )
            except UnreadableTracking:
                continue
            found[reading.tracking_number] = reading
        return found

    def _follow(self, number: str) -> bool:
        """Have AfterShip follow the number; whether it will."""
        wanted = {"tracking_number": number, "slug": self._ref.settings.get("slug", "")}
        reply = ask(self._client, "POST", self._root, json={"tracking": wanted})
        if reply.status is LabelStatus.DONE or reply.status is LabelStatus.RETRY:
            return True
        meta = reply.answer.body.get("meta")
        return (
            reply.answer.status == HTTPStatus.BAD_REQUEST
            and isinstance(meta, Mapping)
            and meta.get("code") == _KNOWN_ALREADY
        )
