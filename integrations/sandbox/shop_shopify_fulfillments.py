"""Fulfillments by Shopify's Admin API: REST makes and cancels them, GraphQL gives them several numbers."""

from collections.abc import Mapping
from typing import Any

from integrations.sandbox import shop_orders, shop_shopify_wire
from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.shop_orders import Document, stamp
from integrations.sandbox.shop_shopify_lines import gid
from integrations.sandbox.shop_shopify_reads import API, NOT_FOUND, ShopifyReads


class ShopifyFulfillments(ShopifyReads):
    """The part of the face that is told what was sent."""

    @route("POST", API + "/fulfillments.json")
    def create_fulfillment(self, request: Request) -> Reply:
        said = request.json.get("fulfillment") or {}
        asked = said.get("line_items_by_fulfillment_order") or []
        if len(asked) != 1:
            raise Refusal(422, {"errors": ["One fulfillment order is wanted."]})
        order = self._by("fulfillment_order", asked[0].get("fulfillment_order_id"))
        lines = self._to_send(order, asked[0].get("fulfillment_order_line_items") or [])
        now = self.clock.now()
        if all(shop_orders.open_units(line) == 0 for line in order["lines"]):
            status = "cancelled" if order["cancelled_at"] else "closed"
            number = order["fulfillment_order"]
            words = f"Fulfillment order {number} has an unfulfillable status= {status}."
            raise Refusal(422, {"errors": [words]})
        left = sum(map(shop_orders.open_units, order["lines"]))
        if sum(units for _, units in lines) == left:
            order["completed_at"] = stamp(now)  # paid and sent: it archives itself
        made = self.fulfill(
            order,
            lines,
            said.get("tracking_info") or {},
            now,
            notify=bool(said.get("notify_customer")),
        )
        return 201, {"fulfillment": shop_shopify_wire.fulfillment(order, made)}

    @route("POST", API + "/fulfillments/{id}/update_tracking.json")
    def update_tracking(self, request: Request) -> Reply:
        """One number instead of those that it has."""
        order, known = self._fulfillment(request.params["id"])
        said = (request.json.get("fulfillment") or {}).get("tracking_info") or {}
        return 200, {"fulfillment": self._numbered(order, known, said)}

    def track(self, variables: Mapping[str, Any]) -> Document:
        """`fulfillmentTrackingInfoUpdate`: one number or several instead of those that it has."""
        said = variables.get("trackingInfoInput") or {}
        try:
            order, known = self._fulfillment(
                str(variables.get("fulfillmentId", "")).rpartition("/")[2]
            )
        except Refusal:
            wrong = {"field": ["fulfillmentId"], "message": "Fulfillment does not exist."}
            return {"fulfillment": None, "userErrors": [wrong]}
        if known["status"] == "cancelled":
            wrong = {"field": ["fulfillmentId"], "message": "Fulfillment is cancelled."}
            return {"fulfillment": None, "userErrors": [wrong]}
        self._numbered(order, known, said)
        pairs = zip(known["tracking"]["numbers"], known["tracking"]["urls"], strict=True)
        info = [
            {"company": known["tracking"]["company"], "number": number, "url": url or None}
            for number, url in pairs
        ]
        shown = {"id": gid("Fulfillment", known["id"]), "status": "SUCCESS", "trackingInfo": info}
        return {"fulfillment": shown, "userErrors": []}

    @route("POST", API + "/fulfillments/{id}/cancel.json")
    def cancel_fulfillment(self, request: Request) -> Reply:
        """Its units are open again."""
        order, known = self._fulfillment(request.params["id"])
        if known["status"] != "cancelled":
            known |= {"status": "cancelled", "updated_at": stamp(self.clock.now())}
            for sent in known["lines"]:
                line = shop_orders.line_of(order, sent["line"])
                if line is not None:
                    line["fulfilled"] -= sent["quantity"]
            order["completed_at"] = None
            self.tracked(order, known, self.clock.now())
        return 200, {"fulfillment": shop_shopify_wire.fulfillment(order, known)}

    # --- inside

    def _numbered(self, order: Document, known: Document, said: Mapping[str, Any]) -> Document:
        known["tracking"] = shop_orders.tracking(said, known["tracking"])
        known["updated_at"] = stamp(self.clock.now())
        self.tracked(order, known, self.clock.now())
        return shop_shopify_wire.fulfillment(order, known)

    def _fulfillment(self, number: str) -> tuple[Document, Document]:
        for order in self.store["orders"].values():
            for known in order["fulfillments"]:
                if str(known["id"]) == number:
                    return order, known
        raise Refusal(404, NOT_FOUND)

    def _to_send(self, order: Document, asked: list[Any]) -> list[tuple[Document, int]]:
        """Lines and units; all that is open when none is named."""
        if not asked:
            opened = [(line, shop_orders.open_units(line)) for line in order["lines"]]
            return [(line, units) for line, units in opened if units]
        lines = []
        for one in asked:
            line, units = shop_orders.line_of(order, one.get("id")), int(one.get("quantity") or 0)
            if line is None or not 0 < units <= shop_orders.open_units(line):
                words = "Invalid fulfillment order line item quantity requested."
                raise Refusal(422, {"errors": [words]})
            lines.append((line, units))
        return lines
