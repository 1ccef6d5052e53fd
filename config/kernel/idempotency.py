"""`Idempotency-Key`: the same unsafe call, sent again, has one effect and one answer.

`begin` takes the key in one statement of its own, before the effect, with a lease; `finish` writes
the answer after the effect has committed, in another. The row is the lock: a second call with the
key is answered 409 while the first is in flight, 422 when its body differs, and with the stored
answer once there is one. Services own their transactions, so the key is not in the effect's.

Why that is safe. A process that dies between effect and answer leaves a lease that lapses after
`LEASE_SECONDS`; the repeat then runs again and meets the natural key beneath, (channel, external id)
for orders, a unique constraint for everything else that is created: its outcome is `repeated`, never
a second effect. A caller that was overtaken after its lease may not write: `token` fences it.
An answer of 5xx, a refusal raised as an exception, and 401, 403, 409, 429 are not stored: the same
key may be tried again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import ids
from config.kernel.errors import Conflict, DomainError, Invalid

LEASE_SECONDS: Final = 60
KEPT_DAYS: Final = 7
_KEY_LENGTH: Final = 255
_TRANSIENT: Final = frozenset({401, 403, 408, 409, 425, 429})
_SERVER_ERROR: Final = 500


class InFlight(Conflict):
    code, title = "idempotency-in-flight", "The same request is still running"


class KeyReused(DomainError):
    code: ClassVar[str] = "idempotency-key-reused"
    title: ClassVar[str] = "The key was used for a different request"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer of the first call, byte for byte."""

    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Proceed:
    """The right to make the effect; `token` proves it when the answer is written."""

    row_id: UUID
    token: int


def begin(credential_id: UUID, key: str, fingerprint: str) -> Stored | Proceed:
    """Take the key, or return the answer it already has. One statement for a new key.

    Raises InFlight (409) while another call holds it and KeyReused (422) when the request differs.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_idempotencykey AS known
                (id, credential_id, key, fingerprint, lease_until, token, content_type, subject_ids)
            VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s), 1, '', '{}')
            ON CONFLICT (credential_id, key) DO UPDATE
            SET lease_until = EXCLUDED.lease_until, token = known.token + 1
            WHERE known.status IS NULL AND known.fingerprint = EXCLUDED.fingerprint
              AND known.lease_until <= clock_timestamp()
            RETURNING id, token
            """,
            [ids.uuid7(), credential_id, key, fingerprint, LEASE_SECONDS],
        )
        taken = cursor.fetchone()
        if taken is not None:
            return Proceed(*taken)
        cursor.execute(
            "SELECT fingerprint, status, body, content_type FROM kernel_idempotencykey "
            "WHERE credential_id = %s AND key = %s",
            [credential_id, key],
        )
        row = cursor.fetchone()
    if row is None:  # given up by the other call between the two statements
        raise InFlight("The same request has just ended without an answer; send it again.")
    known_fingerprint, status, body, content_type = row
    if known_fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was sent before with a different request.")
    if status is None:
        raise InFlight("A request with this Idempotency-Key is still running.")
    return Stored(status, bytes(body or b""), content_type)


def finish(taken: Proceed, answer: Stored, subject_ids: Sequence[UUID] = ()) -> None:
    """Keep the answer. Does nothing when another call has taken the key over meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_idempotencykey SET status = %s, body = %s, content_type = %s, "
            "subject_ids = %s WHERE id = %s AND token = %s AND status IS NULL",
            [
                answer.status,
                answer.body,
                answer.content_type,
                list(subject_ids),
                taken.row_id,
                taken.token,
            ],
        )


def give_up(taken: Proceed) -> None:
    """Free the key: the call had no effect worth an answer, and may be sent again at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM kernel_idempotencykey WHERE id = %s AND token = %s AND status IS NULL",
            [taken.row_id, taken.token],
        )


def remove_old() -> int:
    """Delete what is older than seven days, at most 10,000 keys. Returns how many went."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM kernel_idempotencykey WHERE id IN (
                SELECT id FROM kernel_idempotencykey
                WHERE recorded_at < clock_timestamp() - make_interval(days => %s)
                ORDER BY recorded_at LIMIT 10000)
            """,
            [KEPT_DAYS],
        )
        return int(cursor.rowcount)


class Call:
    """One guarded request: `stored` is its earlier answer, if any; `finish` keeps a new one."""

    def __init__(self, taken: Proceed | None, stored: Stored | None) -> None:
        self._taken = taken
        self._earlier = stored
        self._finished = False

    @property
    def stored(self) -> HttpResponse | None:
        """The first call's answer, to be returned as it is, marked `Idempotent-Replayed`."""
        if self._earlier is None:
            return None
        response = HttpResponse(
            self._earlier.body,
            status=self._earlier.status,
            content_type=self._earlier.content_type,
        )
        response.headers["Idempotent-Replayed"] = "true"
        return response

    def finish(self, response: Response, subject_ids: Sequence[UUID] = ()) -> Response:
        """Keep the answer, unless its status says that another try may end differently."""
        if self._taken is not None:
            status = response.status_code
            if status >= _SERVER_ERROR or status in _TRANSIENT:
                give_up(self._taken)
            else:
                body = b"" if response.data is None else JSONRenderer().render(response.data)
                kind = response.content_type or "application/json"
                finish(self._taken, Stored(status, body, kind), subject_ids)
        self._finished = True
        return response

    def close(self) -> None:
        if self._taken is not None and not self._finished:
            give_up(self._taken)


@contextmanager
def guarded(request: Request) -> Iterator[Call]:
    """Guard one unsafe request; without an `Idempotency-Key` it is simply let through.

    ::

        with idempotency.guarded(request) as call:
            if call.stored is not None:
                return call.stored
            ...
            return call.finish(Response(body, status=201))

    Enter it before `request.data` is read. Leaving it without `finish` frees the key.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        yield Call(None, None)
        return
    if len(key) > _KEY_LENGTH or not key.isprintable():
        raise Invalid(f"Idempotency-Key is printable and has at most {_KEY_LENGTH} characters.")
    answer = begin(_credential_of(request), key, _fingerprint(request))
    taken, stored = (answer, None) if isinstance(answer, Proceed) else (None, answer)
    call = Call(taken, stored)
    try:
        yield call
    finally:
        call.close()


def idempotent(handler: Callable[..., Response]) -> Callable[..., HttpResponse]:
    """Guard a DRF handler method (`post`, an `@action`) as a whole."""

    @wraps(handler)
    def guarded_handler(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        with guarded(request) as call:
            if call.stored is not None:
                return call.stored
            return call.finish(handler(view, request, *args, **kwargs))

    return guarded_handler


def _credential_of(request: Request) -> UUID:
    return UUID(str(request.user.pk))


def _fingerprint(request: Request) -> str:
    """What makes two requests the same: method, path with query, and the bytes of the body."""
    plain: HttpRequest = request._request  # DRF's documented way to the raw body
    seal = hashlib.sha256(f"{plain.method}\n{plain.get_full_path()}\n".encode())
    seal.update(plain.body)
    return seal.hexdigest()
