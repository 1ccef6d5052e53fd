"""What the domain refuses, each with a code that clients may rely on."""

from typing import Any, ClassVar

from django.db import OperationalError
from psycopg import errors as pg


class DomainError(Exception):
    """A request the domain refuses. `code` is stable: clients may rely on it."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"
    status: ClassVar[int] = 422

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(DomainError):
    """The input is wrong. `errors` holds one entry per field: pointer, code, detail."""

    code, title, status = "invalid", "The input is not valid", 422

    def __init__(self, detail: str, *, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail, errors=errors or [])


class NotFound(DomainError):
    code, title, status = "not-found", "There is no such record", 404


class Forbidden(DomainError):
    code, title, status = "forbidden", "Your role does not permit this", 403


class Conflict(DomainError):
    """The request was valid, but not in the present state of the record."""

    code, title, status = "conflict", "Not possible in the present state", 409


class IllegalTransition(Conflict):
    """The record's state does not lead there. `allowed` lists the transitions possible now."""

    code, title = "illegal-transition", "Not possible in the present state"


class Busy(DomainError):
    """A lock was not had in time. Nothing was changed; the same request may be sent again."""

    code, title, status = "busy", "The record is being changed by someone else", 503


class Unavailable(DomainError):
    """The database was not reached, or was lost. Whether an unsafe call took effect is not known."""

    code, title, status = "unavailable", "The database cannot be reached", 503


class ScopeMissing(RuntimeError):
    """A scoped queryset was evaluated without naming the accounts it may reach: a programming error."""


_BRIEF_LENGTH = 500
_CONNECTION_CLASSES = ("08", "57P")
"""Classes of SQLSTATE: connection exception, operator intervention."""
_PASSING = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)


def is_passing(exc: BaseException) -> bool:
    """Whether the database gave up on a lock: nothing was changed, and the same may be tried again."""
    return isinstance(exc, Busy) or (
        isinstance(exc, OperationalError) and isinstance(exc.__cause__, _PASSING)
    )


def is_unreached(exc: BaseException) -> bool:
    """Whether the connection to the database was not had or was lost, or the server was going down."""
    cause = exc.__cause__
    if not isinstance(exc, OperationalError) or not isinstance(cause, pg.OperationalError):
        return False
    state = cause.sqlstate or _CONNECTION_CLASSES[0]
    return state.startswith(_CONNECTION_CLASSES)


def in_brief(error: BaseException) -> str:
    """The error's kind and first line, for rows that people read.

    The lines after it are left out: PostgreSQL quotes the values of the row there, and they may be
    personal.
    """
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:_BRIEF_LENGTH]
