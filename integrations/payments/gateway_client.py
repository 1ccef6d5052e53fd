"""The gateway behind orders' payments port: what its answers mean to us."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from integrations.http import Answer, Busy, OutcomeUnknown, RemoteClient, Unreached
from orders.payments import ENDED, PaymentAnswer, PaymentCall

UNKNOWN_KEY: Final = "unknown-key"
PENDING: Final = "pending"
EXPIRED: Final = "expired"
MODES: Final = ("new", "incremental")
_LATER: Final = frozenset(
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
_DONE: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})


class GatewayProvider:
    """Implements `orders.payments.PaymentProvider` over HTTP."""

    def __init__(self, remote: RemoteClient, *, mode: str = "new") -> None:
        self._remote = remote
        self._mode = mode if mode in MODES else MODES[0]

    def close(self) -> None:
        self._remote.close()

    def authorize(self, call: PaymentCall, token: str) -> PaymentAnswer:
        """Reserve the amount on a card: what a checkout does before we get the order."""
        return self._post("/v1/authorizations", call, token=token)

    def capture(self, call: PaymentCall) -> PaymentAnswer:
        return self._post(f"{_path(call)}/captures", call)

    def void(self, call: PaymentCall) -> PaymentAnswer:
        return self._post(f"{_path(call)}/void", call)

    def refund(self, call: PaymentCall) -> PaymentAnswer:
        return self._post(f"{_path(call)}/refunds", call)

    def renew(self, call: PaymentCall) -> PaymentAnswer:
        # What has ended cannot last longer: another one takes its place.
        mode = "new" if call.payload.get("ended") else self._mode
        return self._post(f"{_path(call)}/renewals", call, mode=mode)

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
        return _meaning(int(answer.body["http_status"]), answer.body)

    def listed(self, collection: str, after: int, limit: int) -> Answer:
        """A page of operations or events after a number. Raises what `RemoteClient.send` does."""
        return self._remote.send(
            "GET", f"/v1/{collection}", params={"after": str(after), "limit": str(limit)}
        )

    def _post(self, path: str, call: PaymentCall, **more: str) -> PaymentAnswer:
        body = {"amount": call.amount_minor, "currency": call.currency, **more}
        try:
            answer = self._remote.send("POST", path, json=body, key=call.key)
        except Busy as busy:
            return PaymentAnswer(
                "retry",
                code="busy",
                message=str(busy),
                after_seconds=busy.after_seconds,
                asked=False,
            )
        except Unreached as lost:
            return PaymentAnswer("retry", code="unreached", message=str(lost))
        except OutcomeUnknown as lost:
            return PaymentAnswer("unknown", code="no-answer", message=str(lost))
        return _meaning(answer.status, answer.body)


def _path(call: PaymentCall) -> str:
    return f"/v1/authorizations/{quote(call.authorization_reference, safe='')}"


def _meaning(status: int, body: Mapping[str, Any]) -> PaymentAnswer:
    code, message = str(body.get("code", "")), str(body.get("message", ""))
    if status in _DONE:
        until = body.get("expires_at")
        return PaymentAnswer(
            "done",
            reference=str(body.get("id", "")),
            expires_at=datetime.fromisoformat(str(until)) if until else None,
        )
    if status == HTTPStatus.ACCEPTED:
        # It is under way, and may fail yet: looked up again, or told by a push.
        return PaymentAnswer("unknown", code=PENDING, message="The gateway is still at it.")
    if status in _LATER or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return PaymentAnswer("retry", code=code or "busy", message=message)
    code = ENDED if code == EXPIRED else code or f"http-{status}"
    return PaymentAnswer("refused", code=code, message=message)
