"""The network of a simulated carrier: drivers, hubs, scanners, and the pushes that tell of them."""

import hashlib
import heapq
import hmac
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from integrations.sandbox.box import Reply, Request, Simulator
from integrations.sandbox.clock import instant
from integrations.sandbox.credentials import basic
from integrations.sandbox.journeys import MAKING, SUNDAY, Journey, Odds, Scan, lane_days

PICKUP_AT: Final = "22:00"
CARRIER: Final = "USPS"
_TAKES: Final = ("labelled", "listed")


class CarrierNetwork(Simulator):
    """Parcels on their way, in the simulator's own time."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self._due = [
            (way["scans"][way["next"]][0], code)
            for code, way in self.store["ways"].items()
            if way["next"] < len(way["scans"])
        ]
        heapq.heapify(self._due)
        self._setup()

    def tick(self, now: datetime) -> None:
        """Scan what has become due; push each parcel that was scanned once."""
        moved: dict[str, str] = {}
        while self._due and self._due[0][0] <= z(now):
            due, code = heapq.heappop(self._due)
            way = self.store["ways"].get(code)
            if (
                way is None
                or way["next"] >= len(way["scans"])
                or way["scans"][way["next"]][0] != due
            ):
                continue
            moved.setdefault(code, self.store["trackers"][code]["status"])
            self._scan(code, Scan(datetime.fromisoformat(due), *way["scans"][way["next"]][1:]))
            way["next"] += 1
            if way["next"] < len(way["scans"]):
                heapq.heappush(self._due, (way["scans"][way["next"]][0], code))
        for code, before in moved.items():
            self._push(code, before, now)

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        del topic
        hook = self.store["webhooks"].get(message_id.partition(":")[2], {})
        key = unicodedata.normalize("NFKD", hook.get("secret", "")).encode()
        digest = hmac.new(key, body, hashlib.sha256).hexdigest()
        return {"X-Hmac-Signature": f"hmac-sha256-hex={digest}"}

    def control(self, request: Request, words: list[str]) -> Reply | None:
        match request.method, words:
            case "PUT", ["setup"]:
                with self.store.lock:
                    self.store["setup"].update(request.json)
                    self._setup()
                    self.store.touch()
                return 200, self.settings | {"odds": asdict(self._odds)}
            case "POST", ["dock"]:
                with self.store.lock:
                    boxes = request.json.get("parcels", [])
                    if lacking := list(self._lacking(boxes)):
                        return 422, _unprocessable(lacking)
                    for box in boxes:
                        self._box(box)
                    self.store.touch()
                return 200, {"docked": len(boxes)}
        return None

    def _setup(self) -> None:
        said = self.store["setup"]
        take = said.get("take", "labelled")
        if take not in _TAKES:
            raise ValueError(f"take is {' or '.join(_TAKES)}")
        known = {each.name for each in fields(Odds)}
        self._odds = Odds(**{k: float(v) for k, v in said.get("odds", {}).items() if k in known})
        self.settings: dict[str, Any] = {
            "pickup_at": said.get("pickup_at", PICKUP_AT),
            "take": take,
        }
        if said.get("api_key"):
            self.require(basic(said["api_key"], ""))

    def by_code(self, code: str) -> dict[str, Any] | None:
        tracker = self.store["trackers"].get(code)
        found: dict[str, Any] | None = self.store["shipments"].get(
            (tracker or {}).get("shipment_id") or ""
        )
        return found

    def follow(
        self, code: str, shipment: Mapping[str, Any] | None, *, carrier: str = CARRIER
    ) -> dict[str, Any]:
        """The tracker of a number; a new one knows of the label at most."""
        known: dict[str, Any] | None = self.store["trackers"].get(code)
        if known is not None:
            return known
        now = z(self.clock.now())
        tracker: dict[str, Any] = {
            "id": f"trk_{self.new_id()}",
            "object": "Tracker",
            "mode": "test",
            "tracking_code": code,
            "status": "unknown",
            "status_detail": "unknown",
            "created_at": now,
            "updated_at": now,
            "signed_by": None,
            "weight": None,
            "est_delivery_date": None,
            "shipment_id": shipment["id"] if shipment else None,
            "carrier": shipment["selected_rate"]["carrier"] if shipment else carrier,
            "tracking_details": [],
            "fees": [],
            "public_url": f"https://track.example/{code}",
        }
        self.store["trackers"][code] = tracker
        if shipment:
            origin = str(shipment["from_address"].get("zip", ""))
            self._scan(code, Scan(self.clock.now(), *MAKING, origin), silent=True)
        return tracker

    def _lacking(self, boxes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """The fields without which a box cannot be taken. A label bought here names its own places."""
        for place, box in enumerate(boxes):
            wanted = ["tracking_code"]
            if self.by_code(str(box.get("tracking_code"))) is None:
                wanted += ["from_zip", "to_zip"]
            yield from (f"parcels[{place}].{name}" for name in wanted if box.get(name) is None)

    def _box(self, box: Mapping[str, Any]) -> None:
        """A box that stands at a dock, whoever made its label."""
        code = str(box["tracking_code"])
        at = instant(box.get("at")) or self.clock.now()
        shipment = self.by_code(code)
        self.follow(code, None)
        if shipment is not None:
            self.dock(code, at, shipment)
        else:
            service = str(box.get("service", ""))
            self._send_off(code, at, str(box["from_zip"]), str(box["to_zip"]), service)

    def dock(self, code: str, at: datetime, shipment: Mapping[str, Any]) -> None:
        self._send_off(
            code,
            at,
            str(shipment["from_address"].get("zip", "")),
            str(shipment["to_address"].get("zip", "")),
            shipment["selected_rate"]["service"],
        )

    def _send_off(self, code: str, at: datetime, source: str, target: str, service: str) -> None:
        """Plan the parcel's way from the next pickup on; one that has a way keeps it."""
        if code in self.store["ways"]:
            return
        taken_at = next_pickup(at, self.settings["pickup_at"])
        journey = Journey(
            code, self.seed, self._odds, from_zip=source, to_zip=target, service=service
        )
        scans = [
            [z(scan.at), scan.status, scan.detail, scan.message, scan.zip]
            for scan in journey.plan(taken_at)
        ]
        self.store["ways"][code] = {"taken_at": z(taken_at), "next": 0, "scans": scans}
        heapq.heappush(self._due, (scans[0][0], code))
        by = taken_at + timedelta(days=lane_days(source, target, service))
        self.store["trackers"][code]["est_delivery_date"] = z(by.replace(hour=20, minute=0))

    def _scan(self, code: str, scan: Scan, *, silent: bool = False) -> None:
        tracker = self.store["trackers"][code]
        tracker["tracking_details"].append(
            {
                "object": "TrackingDetail",
                "message": scan.message,
                "description": "",
                "status": scan.status,
                "status_detail": scan.detail,
                "datetime": z(scan.at),
                "source": tracker["carrier"],
                "carrier_code": "",
                "tracking_location": {
                    "object": "TrackingLocation",
                    "city": None,
                    "state": None,
                    "country": "US",
                    "zip": scan.zip,
                },
            }
        )
        tracker |= {
            "status": scan.status,
            "status_detail": scan.detail,
            "updated_at": z(scan.at),
        }
        if scan.detail == "delayed" and tracker["est_delivery_date"]:
            late = datetime.fromisoformat(tracker["est_delivery_date"]) + timedelta(days=2)
            tracker["est_delivery_date"] = z(late)
        if not silent:
            self.log.append(
                "scan", code=code, status=scan.status, detail=scan.detail, at=z(scan.at)
            )

    def _push(self, code: str, before: str, now: datetime) -> None:
        tracker = self.store["trackers"][code]
        for hook_id, hook in self.store["webhooks"].items():
            event = f"evt_{self.new_id()}"
            body = {
                "id": event,
                "object": "Event",
                "mode": "test",
                "description": "tracker.updated",
                "previous_attributes": {"status": before},
                "created_at": z(now),
                "updated_at": z(now),
                "status": "pending",
                "pending_urls": [hook["url"]],
                "completed_urls": [],
                "result": tracker,
            }
            self.hooks.send(hook["url"], "tracker.updated", body, message_id=f"{event}:{hook_id}")


def next_pickup(after: datetime, at: str) -> datetime:
    """When the driver comes next; never on a Sunday."""
    hour, minute = (int(part) for part in at.split(":"))
    day = datetime.combine(after.astimezone(UTC).date(), time(hour, minute), tzinfo=UTC)
    while day < after or day.weekday() == SUNDAY:
        day += timedelta(days=1)
    return day


def z(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _unprocessable(fields_lacking: Sequence[str]) -> dict[str, Any]:
    """The carrier's own shape of a refusal that names fields."""
    return {
        "error": {
            "code": "DOCK.FIELD_MISSING",
            "message": "A number that is unknown here needs to say where it goes.",
            "errors": [{"field": name, "message": "is wanted"} for name in fields_lacking],
        }
    }
