"""A simulated carrier behind an API of EasyPost's shape: labels, refunds, scan forms, pickups, trackers.

    POST /v2/shipments                 buy a label in one call; `reference` stands for the id
    GET  /v2/shipments/{id}            by id or reference
    GET  /v2/labels/{id}.pdf           the label, with a bar code
    POST /v2/refunds                   give labels back before their first scan
    POST /v2/scan_forms                what the driver takes along; GET /v2/forms/{id}.pdf
    POST /v2/pickups                   a pickup; POST /v2/pickups/{id}/buy books it
    POST /v2/trackers                  follow a number; GET /v2/trackers/{id}
    POST /v2/trackers/batch            what is known of many numbers
    POST /v2/webhooks                  who is told `tracker.updated`, signed with `webhook_secret`

Parcels travel in the simulator's own time: the driver comes at the day's time (`pickup_at`, never on
Sundays) and takes what has a label, or only what stands on a scan form (`take`: labelled | listed).
Days follow from the ZIP codes, trouble from `odds` (`integrations.sandbox.journeys`). Each update is
pushed once per tick with the whole history.

Control plane beside the common one (`integrations.sandbox.box`):

    PUT  /_sandbox/setup    {"api_key", "pickup_at": "22:00", "take", "odds": {"lost": 0.003, …}}
    POST /_sandbox/dock     {"parcels": [{"tracking_code", "from_zip", "to_zip", "service", "at"}]}
                            boxes that stand at a dock; unknown numbers are of labels made elsewhere
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.carrier_network import CARRIER, CarrierNetwork, z
from integrations.sandbox.journeys import lane_days

BAD_ZIP: Final = "00000"
HEAVIEST_OUNCES: Final = 1_120
CENTS_PER_OUNCE: Final = 11


def build(port: int = 0, folder: Path | None = None, seed: int = 7) -> "CarrierSandbox":
    return CarrierSandbox("carrier", port, seed, folder=folder)


class CarrierSandbox(CarrierNetwork):
    """The carrier as its customers know it: the API."""

    # --- labels

    @route("POST", "/v2/shipments", idempotent=True)
    def buy(self, request: Request) -> Reply:
        """Make a shipment, and buy its label when it names a service."""
        asked = request.json.get("shipment") or {}
        target, weight = asked.get("to_address") or {}, (asked.get("parcel") or {}).get("weight")
        if not target.get("street1") or str(target.get("zip", "")) in {"", BAD_ZIP}:
            raise _refused("ADDRESS.VERIFY.FAILURE", "Unable to verify address.")
        if not isinstance(weight, int | float) or not 0 < weight <= HEAVIEST_OUNCES:
            raise _refused("SHIPMENT.PARCEL.INVALID", "The weight is out of range.")
        shipment = self._shipment(asked)
        self.store["shipments"][shipment["id"]] = shipment
        if shipment["reference"]:
            self.store["references"][shipment["reference"]] = shipment["id"]
        self.log.append(
            "label",
            shipment=shipment["id"],
            reference=shipment["reference"],
            tracking_code=shipment["tracking_code"],
        )
        self.follow(shipment["tracking_code"], shipment)
        if self.settings["take"] == "labelled":
            self.dock(shipment["tracking_code"], self.clock.now(), shipment)
        return 201, shipment

    @route("GET", "/v2/shipments/{id}")
    def shipment(self, request: Request) -> Reply:
        return 200, self._found(request.params["id"])

    @route("GET", "/v2/labels/{id}.pdf", open=True)
    def label(self, request: Request) -> Reply:
        from integrations.sandbox import carrier_papers

        document = carrier_papers.label(self._found(request.params["id"]))
        return 200, document, {"Content-Type": "application/pdf"}

    @route("POST", "/v2/refunds")
    def refund(self, request: Request) -> Reply:
        """Labels are taken back until their first scan."""
        asked = request.json.get("refund") or {}
        answers = []
        for code in asked.get("tracking_codes", []):
            shipment = self.by_code(code)
            status = "rejected"
            if shipment is not None and shipment["refund_status"]:
                status = "submitted"
            elif shipment is not None and not self._scanned(code):
                status = shipment["refund_status"] = "submitted"
                self.store["ways"].pop(code, None)
                self.log.append("void", tracking_code=code)
            answers.append(
                {
                    "id": f"rfnd_{self.new_id()}",
                    "object": "Refund",
                    "tracking_code": code,
                    "carrier": asked.get("carrier", ""),
                    "shipment_id": shipment["id"] if shipment else None,
                    "status": status,
                }
            )
        if not any(answer["shipment_id"] for answer in answers):
            raise _refused("REFUND.NOT_FOUND", "No such label was bought here.")
        return 201, answers

    @route("POST", "/v2/scan_forms", idempotent=True)
    def scan_form(self, request: Request) -> Reply:
        """A list of what the driver takes along. A shipment stands on one list only."""
        shipments = [self._found(str(each.get("id"))) for each in request.json.get("shipments", [])]
        if not shipments:
            raise _refused("SCAN_FORM.NO_SHIPMENTS", "A scan form needs shipments.")
        if any(shipment["scan_form"] for shipment in shipments):
            raise _refused("SCAN_FORM.ALREADY_MANIFESTED", "A shipment is on a scan form already.")
        form: dict[str, Any] = {
            "id": f"sf_{self.new_id()}",
            "object": "ScanForm",
            "created_at": z(self.clock.now()),
            "status": "created",
            "message": None,
            "tracking_codes": [shipment["tracking_code"] for shipment in shipments],
            "form_file_type": "application/pdf",
        }
        form["form_url"] = f"{self.url}/v2/forms/{form['id']}.pdf"
        self.store["scan_forms"][form["id"]] = form
        for shipment in shipments:
            shipment["scan_form"] = form
            if not shipment["refund_status"]:
                self.dock(shipment["tracking_code"], self.clock.now(), shipment)
        self.log.append("scan_form", id=form["id"], parcels=len(shipments))
        return 201, form

    @route("GET", "/v2/forms/{id}.pdf", open=True)
    def form(self, request: Request) -> Reply:
        from integrations.sandbox import carrier_papers

        found = self.store["scan_forms"].get(request.params["id"])
        if found is None:
            raise _missing()
        return 200, carrier_papers.form(found), {"Content-Type": "application/pdf"}

    @route("POST", "/v2/pickups")
    def pickup(self, request: Request) -> Reply:
        asked = request.json.get("pickup") or {}
        made: dict[str, Any] = {
            "id": f"pickup_{self.new_id()}",
            "object": "Pickup",
            "status": "unknown",
            "reference": asked.get("reference"),
            "min_datetime": asked.get("min_datetime"),
            "max_datetime": asked.get("max_datetime"),
            "confirmation": None,
            "pickup_rates": [
                {"service": "NextDay", "carrier": CARRIER, "rate": "0.00", "currency": "USD"}
            ],
        }
        self.store["pickups"][made["id"]] = made
        return 201, made

    @route("POST", "/v2/pickups/{id}/buy")
    def book_pickup(self, request: Request) -> Reply:
        made = self.store["pickups"].get(request.params["id"])
        if made is None:
            raise _missing()
        made |= {"status": "scheduled", "confirmation": made["id"][-10:].upper()}
        self.log.append("pickup", id=made["id"])
        return 200, made

    # --- tracking

    @route("POST", "/v2/trackers")
    def track(self, request: Request) -> Reply:
        asked = request.json.get("tracker") or {}
        code = str(asked.get("tracking_code") or "")
        if not code:
            raise _refused("TRACKER.CREATE.ERROR", "A tracking code is wanted.")
        return 201, self.follow(code, None, carrier=str(asked.get("carrier") or CARRIER))

    @route("POST", "/v2/trackers/batch")
    def trackers(self, request: Request) -> Reply:
        known = self.store["trackers"]
        codes = request.json.get("tracking_codes", [])
        self.log.append("poll", asked=len(codes))
        return 200, {
            "trackers": [known[code] for code in codes if code in known],
            "has_more": False,
        }

    @route("GET", "/v2/trackers/{id}")
    def tracker(self, request: Request) -> Reply:
        wanted = request.params["id"]
        for tracker in self.store["trackers"].values():
            if wanted in {tracker["id"], tracker["tracking_code"]}:
                return 200, tracker
        raise _missing()

    @route("POST", "/v2/webhooks")
    def subscribe(self, request: Request) -> Reply:
        asked = request.json.get("webhook") or request.json
        made = {
            "id": f"hook_{self.new_id()}",
            "object": "Webhook",
            "mode": "test",
            "url": asked.get("url", ""),
            "disabled_at": None,
        }
        for key, known in list(self.store["webhooks"].items()):
            if known["url"] == made["url"]:
                del self.store["webhooks"][key]
        secret = str(asked.get("webhook_secret", ""))
        self.store["webhooks"][made["id"]] = {**made, "secret": secret}
        return 201, made

    @route("GET", "/v2/webhooks")
    def subscriptions(self, request: Request) -> Reply:
        del request
        return 200, {
            "webhooks": [
                {name: value for name, value in hook.items() if name != "secret"}
                for hook in self.store["webhooks"].values()
            ]
        }

    @route("DELETE", "/v2/webhooks/{id}")
    def unsubscribe(self, request: Request) -> Reply:
        if self.store["webhooks"].pop(request.params["id"], None) is None:
            raise _missing()
        return 200, {}

    # --- inside

    def _shipment(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        made = f"shp_{self.new_id()}"
        number = f"9400{self.store.next_number('tracking', 1_000_000_001):018d}"
        now, source, target = self.clock.now(), asked["from_address"], asked["to_address"]
        service = str(asked.get("service") or "GroundAdvantage")
        days = lane_days(str(source.get("zip", "")), str(target["zip"]), service)
        cents = 350 + 120 * days + int(asked["parcel"]["weight"] * CENTS_PER_OUNCE)
        rate = {
            "id": f"rate_{self.new_id()}",
            "object": "Rate",
            "carrier": (asked.get("carrier_accounts") or [CARRIER])[0],
            "service": service,
            "rate": f"{cents / 100:.2f}",
            "currency": "USD",
            "delivery_days": days,
        }
        url = f"{self.url}/v2/labels/{made}.pdf"
        return {
            "id": made,
            "object": "Shipment",
            "mode": "test",
            "reference": asked.get("reference"),
            "created_at": z(now),
            "to_address": target,
            "from_address": source,
            "parcel": asked["parcel"],
            "options": asked.get("options") or {},
            "rates": [rate],
            "selected_rate": rate,
            "tracking_code": number,
            "postage_label": {
                "object": "PostageLabel",
                "label_file_type": "application/pdf",
                "label_size": "4x6",
                "label_url": url,
                "label_pdf_url": url,
            },
            "refund_status": None,
            "scan_form": None,
            "status": "unknown",
        }

    def _found(self, wanted: str) -> dict[str, Any]:
        known = self.store["shipments"]
        found = known.get(wanted) or known.get(self.store["references"].get(wanted, ""))
        if found is None:
            raise _missing()
        document: dict[str, Any] = found
        return document

    def _scanned(self, code: str) -> bool:
        way = self.store["ways"].get(code)
        return bool(way and way["next"])


def _refused(code: str, message: str) -> Refusal:
    return Refusal(422, {"error": {"code": code, "message": message, "errors": []}})


def _missing() -> Refusal:
    return Refusal(
        404,
        {"error": {"code": "NOT_FOUND", "message": "The requested resource could not be found."}},
    )
