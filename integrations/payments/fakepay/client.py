"""The fake provider behind orders' payments port: what its answers mean to us."""

from http import HTTPStatus
from urllib.parse import quote

from integrations.http import Answer, OutcomeUnknown, RemoteClient, Unreached
from orders.payments import PaymentAnswer, PaymentCall

PARTY = "fakepay"
UNKNOWN_KEY = "unknown-key"
_LATER = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""Nothing was tried: our credential is wrong, or they are busy. Not the buyer's fault, no refusal."""
_CREATED = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})


class FakePayProvider:
    """Implements `orders.payments.PaymentProvider` over HTTP."""

    def __init__(self, base_url: str, *, total_seconds: float = 10.0) -> None:
        self._remote = RemoteClient(PARTY, base_url, total_seconds=total_seconds)

    def close(self) -> None:
        self._remote.close()

    def authorize(self, call: PaymentCall, token: str) -> PaymentAnswer:
        """Reserve the amount on a card: what a checkout does before we get the order."""
        return self._post("/v1/authorizations", call, token=token)

    def capture(self, call: PaymentCall) -> PaymentAnswer:
        reference = quote(call.authorization_reference, safe="")
        return self._post(f"/v1/authorizations/{reference}/captures", call)

    def void(self, call: PaymentCall) -> PaymentAnswer:
        reference = quote(call.authorization_reference, safe="")
        return self._post(f"/v1/authorizations/{reference}/void", call)

    def refund(self, call: PaymentCall) -> PaymentAnswer:
        reference = quote(call.authorization_reference, safe="")
        return self._post(f"/v1/authorizations/{reference}/refunds", call)

    def find(self, key: str) -> PaymentAnswer | None:
        try:
            answer = self._remote.send("GET", f"/v1/operations/{quote(key, safe='')}")
        except (Unreached, OutcomeUnknown) as lost:
            return PaymentAnswer("unknown", code="no-answer", message=str(lost))
        if answer.status == HTTPStatus.NOT_FOUND and answer.body.get("code") == UNKNOWN_KEY:
            return None
        if answer.status != HTTPStatus.OK or "http_status" not in answer.body:
            # They said nothing of the operation: that is no answer, least of all a refusal.
            return PaymentAnswer("unknown", code="no-answer", message=f"http-{answer.status}")
        return _meaning(int(answer.body["http_status"]), answer)

    def _post(self, path: str, call: PaymentCall, *, token: str = "") -> PaymentAnswer:
        body = {"amount": call.amount_minor, "currency": call.currency}
        try:
            answer = self._remote.send(
                "POST", path, json={**body, "token": token} if token else body, key=call.key
            )
        except Unreached as lost:
            return PaymentAnswer("retry", code="unreached", message=str(lost))
        except OutcomeUnknown as lost:
            return PaymentAnswer("unknown", code="no-answer", message=str(lost))
        return _meaning(answer.status, answer)


def _meaning(status: int, answer: Answer) -> PaymentAnswer:
    code, message = str(answer.body.get("code", "")), str(answer.body.get("message", ""))
    if status in _CREATED:
        return PaymentAnswer("done", reference=str(answer.body.get("id", "")))
    if status in _LATER or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return PaymentAnswer("retry", code=code or "busy", message=message)
    return PaymentAnswer("refused", code=code or f"http-{status}", message=message)
