"""`Idempotency-Key`: the same unsafe call, sent again, has one effect and one answer.

`begin` takes the key in one statement of its own, before the effect, with a lease. The row is the
lock: a second call with the key is answered 409 while the first is in flight, 422 when its body
differs, and with the stored answer once there is one.

The key is completed in the transaction that makes the effect. `once` wraps a command with the
answer to it: a process that dies before the commit has done nothing, one that dies after it has
left the answer. Where one request is several commands (orders: captured, then accepted), the key is
taken with the ids that its documents will have, if they come to be; whoever repeats the call after
the lease is given them (`Proceed.made`), finds which are there and answers from their rows. `token`
fences a caller that was overtaken after its lease: it makes no effect.

An answer of 5xx, a refusal raised as an exception, and 401, 403, 409, 429 are not stored: the same
key may be tried again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, TypeVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse

from config.kernel import ids
from config.kernel.errors import Conflict, DomainError, Invalid

if TYPE_CHECKING:  # a worker clears old keys, and is spared what only the web needs
    from rest_framework.request import Request
    from rest_framework.response import Response

Effect = TypeVar("Effect")

LEASE_SECONDS: Final = 60
KEPT_DAYS: Final = 7
_KEY_LENGTH: Final = 255
_TRANSIENT: Final = frozenset({401, 403, 408, 409, 425, 429})
_SERVER_ERROR: Final = 500
_JSON: Final = "application/json"


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
class Asked:
    """One call as its key names it; `fingerprint` says whether a repeat is the same request.

    `ids` are what new documents of the call will be called, where it is several commands.
    """

    credential_id: UUID
    key: str
    fingerprint: str
    ids: tuple[UUID, ...] = ()

    @property
    def name(self) -> tuple[UUID, str]:
        return self.credential_id, self.key


@dataclass(frozen=True, slots=True)
class Proceed:
    """The right to make the effect; `token` proves it when the answer is written.

    `made` are the ids of an earlier holder that gave no answer: what is there of them, it made.
    """

    row_id: UUID
    token: int
    made: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer to keep under a key that was taken, and the ids of what it made."""

    taken: Proceed
    answer: Stored
    subject_ids: Sequence[UUID] = ()


def begin(credential_id: UUID, key: str, fingerprint: str) -> Stored | Proceed:
    """Take the key, or return the answer it already has. One statement for a new key.

    Raises InFlight (409) while another call holds it and KeyReused (422) when the request differs.
    """
    (right,) = begin_all([Asked(credential_id, key, fingerprint)])
    if isinstance(right, DomainError):
        raise right
    return right


def begin_all(asked: Sequence[Asked]) -> list[Stored | Proceed | DomainError]:
    """Take every key in one statement, and read the answers of those taken before in another.

    Of equal keys in one batch the first goes on; the others are told that it is in flight.
    """
    if not asked:
        return []
    first = {call.name: position for position, call in reversed(list(enumerate(asked)))}
    taken = _take([asked[position] for position in first.values()])
    known = _known([name for name in first if name not in taken])
    rights: list[Stored | Proceed | DomainError] = []
    for position, call in enumerate(asked):
        right = taken.get(call.name)
        if right is None:
            rights.append(_standing(call, known.get(call.name)))
        elif first[call.name] == position:
            rights.append(right)
        else:
            rights.append(_standing(call, (asked[first[call.name]].fingerprint, None, None, "")))
    return rights


def answered(asked: Asked) -> Stored | None:
    """The answer the key has; None when nobody has used it. Raises as `begin` does."""
    row = _known([asked.name]).get(asked.name)
    if row is None:
        return None
    standing = _standing(asked, row)
    if isinstance(standing, DomainError):
        raise standing
    return standing


def _take(asked: Sequence[Asked]) -> dict[tuple[UUID, str], Proceed]:
    """The keys that are new or whose holder's lease has lapsed.

    Sorted, so that nobody waits in a ring; a key that is being completed right now is left alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH given AS (
                SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[])
                    AS given (id, credential_id, key, fingerprint, made)),
            lapsed AS (
                SELECT known.id, known.subject_ids AS made, given.made AS more
                FROM kernel_idempotencykey known JOIN given USING (credential_id, key)
                WHERE known.status IS NULL AND known.fingerprint = given.fingerprint
                  AND known.lease_until <= clock_timestamp()
                ORDER BY known.id FOR UPDATE OF known SKIP LOCKED),
            retaken AS (
                UPDATE kernel_idempotencykey known
                SET lease_until = clock_timestamp() + make_interval(secs => %s),
                    token = known.token + 1, subject_ids = lapsed.made || lapsed.more::uuid[]
                FROM lapsed WHERE known.id = lapsed.id
                RETURNING known.credential_id, known.key, known.id, known.token, lapsed.made),
            fresh AS (
                INSERT INTO kernel_idempotencykey
                    (id, credential_id, key, fingerprint, lease_until, token, content_type,
                     subject_ids)
                SELECT id, credential_id, key, fingerprint,
                    clock_timestamp() + make_interval(secs => %s), 1, '', made::uuid[]
                FROM given ORDER BY credential_id, key
                ON CONFLICT (credential_id, key) DO NOTHING
                RETURNING credential_id, key, id, token, '{}'::uuid[])
            SELECT * FROM fresh UNION ALL SELECT * FROM retaken
            """,
            [
                [ids.uuid7() for _ in asked],
                [call.credential_id for call in asked],
                [call.key for call in asked],
                [call.fingerprint for call in asked],
                [_array(call.ids) for call in asked],
                LEASE_SECONDS,
                LEASE_SECONDS,
            ],
        )
        return {
            (who, key): Proceed(row_id, token, frozenset(made))
            for who, key, row_id, token, made in cursor
        }


def _array(values: Sequence[UUID]) -> str:
    """An array of ids as a text: arrays of arrays of different lengths cannot be given."""
    return "{" + ",".join(map(str, values)) + "}"


_Row: TypeAlias = tuple[str, int | None, bytes | None, str]


def _known(names: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], _Row]:
    """Fingerprint, status, body and content type of the keys that are there."""
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.credential_id, k.key, k.fingerprint, k.status, k.body, k.content_type "
            "FROM unnest(%s::uuid[], %s::text[]) AS asked (credential_id, key) "
            "JOIN kernel_idempotencykey k USING (credential_id, key)",
            [[who for who, _ in names], [key for _, key in names]],
        )
        return {(row[0], row[1]): row[2:] for row in cursor}


def _standing(asked: Asked, row: _Row | None) -> Stored | DomainError:
    """What a call hears whose key another one took."""
    if row is None:  # given up by the other call between the two statements
        return InFlight("The same request has just ended without an answer; send it again.")
    fingerprint, status, body, content_type = row
    if fingerprint != asked.fingerprint:
        return KeyReused("This Idempotency-Key was sent before with a different request.")
    if status is None:
        return InFlight("A request with this Idempotency-Key is still running.")
    return Stored(status, bytes(body or b""), content_type)


def finish(taken: Proceed, answer: Stored, subject_ids: Sequence[UUID] = ()) -> None:
    """Keep the answer. Does nothing when another call has taken the key over meanwhile."""
    finish_all([Finished(taken, answer, subject_ids)])


def finish_all(finished: Sequence[Finished]) -> None:
    """Keep the answers, in one statement."""
    if not finished:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_idempotencykey k
            SET status = given.status, body = given.body, content_type = given.content_type,
                subject_ids = given.subject_ids::uuid[]
            FROM unnest(%s::uuid[], %s::bigint[], %s::smallint[], %s::bytea[], %s::text[],
                %s::text[]) AS given (id, token, status, body, content_type, subject_ids)
            WHERE k.id = given.id AND k.token = given.token AND k.status IS NULL
            """,
            [
                [one.taken.row_id for one in finished],
                [one.taken.token for one in finished],
                [one.answer.status for one in finished],
                [one.answer.body for one in finished],
                [one.answer.content_type for one in finished],
                [_array(one.subject_ids) for one in finished],
            ],
        )


def give_up(taken: Proceed) -> None:
    """Free the key: the call had no effect worth an answer, and may be sent again at once."""
    give_up_all([taken])


def give_up_all(taken: Sequence[Proceed]) -> None:
    """Free the keys, in one statement."""
    if not taken:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM kernel_idempotencykey k USING unnest(%s::uuid[], %s::bigint[]) "
            "AS given (id, token) "
            "WHERE k.id = given.id AND k.token = given.token AND k.status IS NULL",
            [[one.row_id for one in taken], [one.token for one in taken]],
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


def once(
    taken: Proceed, act: Callable[[], Effect], answer_of: Callable[[Effect], Stored | None]
) -> Effect:
    """Act, and keep the answer in the transaction that makes the effect: both are there, or neither.

    `answer_of` says what a repeat is to be told; None frees the key. A refusal raised on the way
    leaves what was done before it and frees the key; any other fault undoes everything. Raises
    InFlight, before anything is done, when another call has taken the key over meanwhile.
    """
    made: list[Effect] = []
    refusal: Exception | None = None
    answer: Stored | None = None
    try:
        with transaction.atomic():
            _lock(taken)
            try:
                made.append(act())
            except _refusals() as raised:
                refusal = raised
            else:
                answer = answer_of(made[0])
                if answer is not None:
                    finish(taken, answer)
    except BaseException:
        give_up(taken)
        raise
    if answer is None:
        give_up(taken)
    if refusal is not None:
        raise refusal
    return made[0]


def several(asked: Asked | None, act: Callable[[frozenset[UUID]], "Response"]) -> HttpResponse:
    """Guard a call of several commands, each of which commits; `act` is given `Proceed.made`."""
    if asked is None:
        return act(frozenset())
    right = begin_all([asked])[0]
    if isinstance(right, DomainError):
        raise right
    if isinstance(right, Stored):
        return replay(right)
    try:
        response = act(right.made)
    except BaseException:
        give_up(right)
        raise
    answer = _lasting(response)
    if answer is None:
        give_up(right)
    else:
        finish(right, answer, asked.ids)
    return response


def _lock(taken: Proceed) -> None:
    """Hold the key before anything else is locked: nobody else can take it until COMMIT."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM kernel_idempotencykey WHERE id = %s AND token = %s AND status IS NULL "
            "FOR UPDATE",
            [taken.row_id, taken.token],
        )
        if not cursor.rowcount:
            raise InFlight("Another request with this Idempotency-Key has taken its place.")


def _refusals() -> tuple[type[Exception], ...]:
    """What a call raises that was refused: nothing is broken, and nothing need be undone."""
    from rest_framework.exceptions import APIException

    return DomainError, APIException, Http404, PermissionDenied


def idempotent(handler: Callable[..., "Response"]) -> Callable[..., HttpResponse]:
    """Guard a DRF handler method (`post`, an `@action`) that makes its effect by one command.

    With an `Idempotency-Key` the effect and the answer to repeats commit together.
    """

    @wraps(handler)
    def guarded_handler(view: Any, request: "Request", *args: Any, **kwargs: Any) -> HttpResponse:
        asked = asked_of(request)  # before `request.data` is read
        if asked is None:
            return handler(view, request, *args, **kwargs)
        right = begin(asked.credential_id, asked.key, asked.fingerprint)
        if isinstance(right, Stored):
            return replay(right)
        return once(right, lambda: handler(view, request, *args, **kwargs), _lasting)

    return guarded_handler


def _lasting(response: "Response") -> Stored | None:
    """What to tell a repeat; None when its status says that another try may end differently."""
    if response.status_code >= _SERVER_ERROR or response.status_code in _TRANSIENT:
        return None
    return stored(response.status_code, response.data, response.content_type or _JSON)


def asked_of(request: "Request") -> Asked | None:
    """The request as its `Idempotency-Key` names it. Ask before `request.data` is read."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    if len(key) > _KEY_LENGTH or not key.isprintable():
        raise Invalid(f"Idempotency-Key is printable and has at most {_KEY_LENGTH} characters.")
    return Asked(UUID(str(request.user.pk)), key, _fingerprint(request))


def stored(status: int, data: Any, content_type: str = _JSON) -> Stored:
    """The answer as it will be sent again."""
    from rest_framework.renderers import JSONRenderer

    body = b"" if data is None else JSONRenderer().render(data)
    return Stored(status, body, content_type)


def replay(answer: Stored) -> HttpResponse:
    """The first call's answer, to be returned as it is, marked `Idempotent-Replayed`."""
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _fingerprint(request: "Request") -> str:
    """What makes two requests the same: method, path with query, and the bytes of the body."""
    plain: HttpRequest = request._request  # DRF's documented way to the raw body
    seal = hashlib.sha256(f"{plain.method}\n{plain.get_full_path()}\n".encode())
    seal.update(plain.body)
    return seal.hexdigest()
