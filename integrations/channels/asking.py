"""One way to ask a shop, and to read what became of it."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from integrations.channels.types import Reply, Said
from integrations.http import Answer, Busy, OutcomeUnknown, RemoteClient, Unreached

_LATER: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.LOCKED,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""Nothing was tried: our credential is wrong, or they are busy with this order or at all."""
DONE: Final = Reply(Said.DONE)


class Unanswered(Exception):
    """A call that did not come to an answer to go on with; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.detail)
        self.reply = reply


def ask(
    client: RemoteClient,
    method: str,
    path: str,
    *,
    json: Mapping[str, Any] | None = None,
    params: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request; answers what can be gone on with. Raises Unanswered for all else.

    A read that failed has changed nothing: it is never unknown.
    """
    try:
        answer = client.send(method, path, json=json, params=params)
    except Busy as busy:
        why = Reply(
            Said.RETRY,
            code="busy",
            detail=str(busy),
            after_seconds=busy.after_seconds,
            asked=False,
        )
        raise Unanswered(why) from None
    except Unreached as lost:
        raise Unanswered(Reply(Said.RETRY, code="unreached", detail=str(lost))) from None
    except OutcomeUnknown as lost:
        raise Unanswered(Reply(Said.UNKNOWN, code="no-answer", detail=str(lost))) from None
    if answer.ok:
        return answer
    code, words = f"http-{answer.status}", f"They answered {answer.status}."
    if answer.status in _LATER or answer.status < HTTPStatus.BAD_REQUEST:
        raise Unanswered(Reply(Said.RETRY, code=code, detail=words))
    raise Unanswered(Reply(Said.REFUSED, code=code, detail=f"{words} {reason_in(answer)}".strip()))


def reason_in(answer: Answer) -> str:
    """What they gave as the reason, cut short."""
    said = answer.body.get("errors") or answer.body.get("message") or answer.body.get("error") or ""
    return str(said)[:160]


def refused(code: str, detail: str) -> Reply:
    return Reply(Said.REFUSED, code=code, detail=detail)


def settled(work: Callable[[], Reply]) -> Reply:
    """What the work came to, or why it did not come to an end."""
    try:
        return work()
    except Unanswered as lost:
        return lost.reply
