"""A simulated payment gateway: authorisations, captures, refunds and disputes, all JSON.

    POST /v1/authorizations                 {"amount", "currency", "token"}   → 201 authorization
    GET  /v1/authorizations/{id}                                              → 200 authorization
    POST /v1/authorizations/{id}/captures   {"amount", "currency"}            → 201 capture, 202 pending
    POST /v1/authorizations/{id}/void       {}                                → 200 authorization
    POST /v1/authorizations/{id}/refunds    {"amount", "currency"}            → 201 refund
    POST /v1/authorizations/{id}/renewals   {"amount", "currency", "mode"}    → 201 authorization
    GET  /v1/operations/{idempotency key}                                     → 200 operation | 404
    GET  /v1/operations?after=&limit=       everything that was moved, oldest first, by number
    GET  /v1/events?after=&limit=           everything that was pushed, or should have been
    POST /v1/webhooks                       {"url", "secret"}                 → 201

Every POST takes an `Idempotency-Key`: a repeated one gets the first answer. A decline is 402
{"code", "message"}; what makes no sense is 404, 409 or 422 in the same shape. A renewal makes a new
authorization of what is left (`mode` new), of the card on file and also once the term has passed, or
lengthens the one that stands (incremental). Refunds go to
the card behind a payment, over all its authorizations, and wait while it is disputed (409
`charge-disputed`).

References say what they stand for (`auth_<amount>_<behavior>_<random>`), so that one made elsewhere is
known. Behaviors, also as `tok_<behavior>`:

    ok           by the odds of the set-up (all zero at first: everything works)
    decline      the authorization itself is declined
    nocapture, norefund, norenew   what is asked of it is declined
    drop, lose   the first answer is lost after the effect; the first request before it
    late         a capture is pending for an hour; `latefail`: and fails then
    bounce       a refund succeeds, and comes back two days later
    dispute      the buyer disputes what was captured ten days later

Pushed: capture.succeeded and capture.failed (of what was pending), refund.failed, authorization.expired,
dispute.opened, dispute.won, dispute.lost; as {"id", "type", "created", "data"}, signed in
`Gateway-Signature`.

Control plane beside the common one (`integrations.sandbox.box`):

    PUT  /_sandbox/setup             {"api_key", "odds": {"dispute": 0.01, …}, "terms": {"late": 1, …}}
    POST /_sandbox/disputes          {"authorization", "amount", "reason"}
    POST /_sandbox/disputes/{id}     {"won": true}
    POST /_sandbox/expiry            {"authorization"}
    GET  /_sandbox/balances          what was captured, refunded and charged back, per payment and in all
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.gateway_books import (
    BEHAVIORS,
    ENDED,
    GatewayBooks,
    declined,
    new_reference,
    z,
)

__all__ = ["BEHAVIORS", "GatewaySandbox", "build", "new_reference"]

PAGE: Final = 100
_HOLDINGS: Final = ("authorized", "captured")


def build(port: int = 0, folder: Path | None = None, seed: int = 7) -> "GatewaySandbox":
    return GatewaySandbox("gateway", port, seed, folder=folder)


class GatewaySandbox(GatewayBooks):
    """The gateway as its customers know it: the API."""

    def answer(self, request: Request) -> Reply | None:
        """As any simulator; some cards lose the first request or its answer with the connection."""
        lost = self._loses(request)
        if lost == "lose":
            return None
        reply = super().answer(request)
        return None if lost == "drop" else reply

    def _loses(self, request: Request) -> str:
        words = request.path.strip("/").split("/")
        key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or words[:2] != ["v1", "authorizations"] or not key:
            return ""
        with self.store.lock:
            if key in self.store["lost"]:
                return ""
            parts = words[2].split("_") if len(words) > 2 else []
            own = parts[2] if len(parts) == 4 else "ok"
            for how in ("drop", "lose"):
                share = getattr(self.odds, how)
                if own == how or (own == "ok" and self.falls(share, how, key)):
                    self.store["lost"][key] = how
                    return how
        return ""

    # --- authorisations

    @route("GET", "/healthz", open=True)
    def healthy(self, request: Request) -> Reply:
        del request
        return 200, {"status": "ok"}

    @route("POST", "/v1/authorizations")
    def authorize(self, request: Request) -> Reply:
        amount, currency, token = self._asked(request)
        behavior = token.removeprefix("tok_") if token.startswith("tok_") else "ok"
        behavior = behavior if behavior in BEHAVIORS else "ok"
        key = request.headers.get("idempotency-key", "")

        def act() -> Reply:
            if behavior == "decline" or (
                behavior == "ok" and self.falls(self.odds.decline, "decline", key)
            ):
                raise declined(402, "card-declined", "The card was declined.")
            reference = new_reference(amount, behavior, random_part=self.new_id()[:16])
            held = self.hold(reference, amount, behavior, currency=currency)
            self.record("authorization", reference, amount, currency, key, holding=held)
            return 201, _shown(held)

        return self._first(request, act)

    @route("GET", "/v1/authorizations/{id}")
    def authorization(self, request: Request) -> Reply:
        return 200, _shown(self.holding(request.params["id"]))

    @route("POST", "/v1/authorizations/{id}/captures")
    def capture(self, request: Request) -> Reply:
        amount, currency, _ = self._asked(request)
        key = request.headers.get("idempotency-key", "")

        def act() -> Reply:
            held = self.holding(request.params["id"])
            if self.behaves(held, "nocapture", key):
                raise declined(402, "card-declined", "The card was declined.")
            if held["status"] in ENDED:
                raise declined(409, held["status"], ENDED[held["status"]])
            if held["captured"] + amount > held["amount"] * (1 + self.terms.tolerance):
                raise declined(409, "too-much", "That is more than was authorized.")
            late = self.behaves(held, "late", key) or self.behaves(held, "latefail", key)
            status = "pending" if late else "succeeded"
            reference = new_reference(amount, kind="cap", random_part=self.new_id()[:16])
            made = self.record(
                "capture", reference, amount, currency, key, holding=held, status=status
            )
            self.move("capture", held, amount)
            if late:
                self._later(self.terms.late, "settle", f"{made['n']:09d}")
            if self.behaves(held, "dispute", held["payment"]):
                self._later(self.terms.dispute, "dispute", held["id"])
            said = "pending" if late else "captured"
            return 202 if late else 201, {"id": reference, "status": said, "amount": amount}

        return self._first(request, act)

    @route("POST", "/v1/authorizations/{id}/void")
    def void(self, request: Request) -> Reply:
        def act() -> Reply:
            held = self.holding(request.params["id"])
            left = held["amount"] - held["captured"]
            if held["status"] in _HOLDINGS:
                held["status"] = "voided"
                key = request.headers.get("idempotency-key", "")
                self.record("void", held["id"], left, "", key, holding=held)
            return 200, {"id": held["id"], "status": "voided", "amount": left}

        return self._first(request, act)

    @route("POST", "/v1/authorizations/{id}/refunds")
    def refund(self, request: Request) -> Reply:
        amount, currency, _ = self._asked(request)
        key = request.headers.get("idempotency-key", "")

        def act() -> Reply:
            held = self.holding(request.params["id"])
            if self.behaves(held, "norefund", key):
                raise declined(402, "refund-declined", "The bank refuses it.")
            if self.payment_of(held)["disputed"]:
                raise declined(409, "charge-disputed", "The payment is disputed.")
            if amount > self.refundable(held):
                raise declined(409, "too-much", "That is more than was captured.")
            reference = new_reference(amount, kind="ref", random_part=self.new_id()[:16])
            made = self.record("refund", reference, amount, currency, key, holding=held)
            self.move("refund", held, amount)
            if self.behaves(held, "bounce", key):
                self._later(self.terms.bounce, "bounce", f"{made['n']:09d}")
            return 201, {"id": reference, "status": "refunded", "amount": amount}

        return self._first(request, act)

    @route("POST", "/v1/authorizations/{id}/renewals")
    def renew(self, request: Request) -> Reply:
        amount, currency, _ = self._asked(request)
        key = request.headers.get("idempotency-key", "")

        def act() -> Reply:
            held = self.holding(request.params["id"])
            if self.behaves(held, "norenew", key):
                raise declined(402, "renewal-declined", "The bank does not renew it.")
            lengthened = request.json.get("mode") == "incremental"
            if held["status"] not in {"authorized", "authorized" if lengthened else "expired"}:
                raise declined(409, held["status"], ENDED.get(held["status"], "All was captured."))
            if lengthened:
                renewed = self._lengthen(held, amount)
            else:
                reference = new_reference(amount, held["behavior"], random_part=self.new_id()[:16])
                renewed = self.hold(
                    reference,
                    amount,
                    held["behavior"],
                    currency=held["currency"],
                    payment=held["payment"],
                )
                held["status"] = "replaced"
            self.record("renewal", renewed["id"], amount, currency, key, holding=renewed)
            return 201, _shown(renewed) | {"replaces": held["id"]}

        return self._first(request, act)

    # --- what there was

    @route("GET", "/v1/operations/{key}")
    def operation(self, request: Request) -> Reply:
        """What became of the request with an idempotency key, as of now."""
        key = request.params["key"]
        made = self.store["operations"].get(self.store["keys"].get(key, ""))
        if key not in self.store["answers"]:
            raise declined(404, "unknown-key", "Never seen.")
        status, body = self.store["answers"][key]
        if made is not None and made["status"] == "failed" and made["kind"] == "capture":
            status, body = 402, {"code": made["code"], "message": "It failed later."}
        elif made is not None and made["kind"] == "capture":
            status = 202 if made["status"] == "pending" else 201
        return 200, {"http_status": status, **body}

    @route("GET", "/v1/operations")
    def operations(self, request: Request) -> Reply:
        return 200, self._page("operations", request)

    @route("GET", "/v1/events")
    def events(self, request: Request) -> Reply:
        return 200, self._page("events", request)

    @route("POST", "/v1/webhooks")
    def subscribe(self, request: Request) -> Reply:
        url = str(request.json.get("url", ""))
        for key, known in list(self.store["webhooks"].items()):
            if known["url"] == url:
                del self.store["webhooks"][key]
        made = f"we_{self.new_id()[:12]}"
        self.store["webhooks"][made] = {"url": url, "secret": str(request.json.get("secret", ""))}
        return 201, {"id": made, "url": url}

    # --- control

    def control(self, request: Request, words: list[str]) -> Reply | None:
        with self.store.lock:
            self.store.touch()
            match request.method, words:
                case "PUT", ["setup"]:
                    return 200, self.configure(request.json)
                case "POST", ["disputes", *which]:
                    return self._control_dispute(request, which)
                case "POST", ["expiry"]:
                    held = self.holding(str(request.json["authorization"]))
                    if held["status"] != "authorized":
                        return 409, {"error": f"It is {held['status']}."}
                    self.expire(held)
                    return 200, _shown(held)
                case "GET", ["balances"]:
                    return 200, self._balances()
        return None

    def _control_dispute(self, request: Request, which: list[str]) -> Reply:
        if not which:
            held = self.holding(str(request.json["authorization"]))
            reason = str(request.json.get("reason", "product_not_received"))
            return 201, self.dispute(held, request.json.get("amount"), reason)
        found = self.store["disputes"].get(which[0])
        if found is None or found["status"] != "opened":
            return 409, {"error": "There is no such open dispute."}
        return 200, self.decide(found, won=bool(request.json["won"]))

    def _balances(self) -> dict[str, Any]:
        names = ("captured", "refunded", "charged_back")
        payments = self.store["payments"]
        return {
            "payments": payments,
            "total": {name: sum(one[name] for one in payments.values()) for name in names},
        }

    # --- inside

    def _asked(self, request: Request) -> tuple[int, str, str]:
        """Amount, currency and token of a body. Raises a refusal for what makes no sense."""
        body = request.json
        try:
            amount = int(body.get("amount", 0))
            currency, token = str(body.get("currency", "")), str(body.get("token", ""))
        except (AttributeError, TypeError, ValueError):
            raise declined(422, "not-json", "An amount in minor units is wanted.") from None
        if amount < 1:
            raise declined(422, "bad-amount", "An amount is of at least one minor unit.")
        return amount, currency, token

    def _first(self, request: Request, act: Callable[[], Reply]) -> Reply:
        """The first answer to this key, a decline too; without a key, each time anew."""
        key = request.headers.get("idempotency-key", "")
        answers = self.store["answers"]
        if key in answers:
            status, body = answers[key]
            return status, body
        try:
            status, body = act()[:2]
        except Refusal as refusal:
            status, body = refusal.reply[:2]
        if key:
            answers[key] = [status, body]
        self.store.touch()
        return status, body

    def _lengthen(self, held: dict[str, Any], amount: int) -> dict[str, Any]:
        until = self.clock.now() + timedelta(hours=self.terms.authorized)
        held["amount"] = held["captured"] + amount
        held["expires_at"] = z(until)
        self.plan(until, "expire", held["id"])
        return held

    def _later(self, hours: float, what: str, subject: str) -> None:
        self.plan(self.clock.now() + timedelta(hours=hours), what, subject)

    def _page(self, collection: str, request: Request) -> dict[str, Any]:
        """Documents after a number, oldest first; `next` is where to go on."""
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", PAGE))
        last = len(self.store[collection])
        numbers = range(after + 1, min(after + limit, last) + 1)
        found = [self.store[collection][f"{number:09d}"] for number in numbers]
        return {
            collection: found,
            "next": numbers[-1] if found else after,
            "more": last > after + limit,
        }


def _shown(held: dict[str, Any]) -> dict[str, Any]:
    return {name: held[name] for name in ("id", "status", "amount", "captured", "expires_at")}
