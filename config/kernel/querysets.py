"""Querysets that refuse to cross the wall between accounts by accident."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self
from uuid import UUID

from django.db import models

from config.kernel.errors import ScopeMissing
from config.kernel.types import Scope

_lifted: ContextVar[bool] = ContextVar("scope_lifted", default=False)


@contextmanager
def scope_lifted() -> Iterator[None]:
    """Let Django's own validation ask across accounts: whether a code is taken is asked of all.

    Only for code that cannot name a scope; nothing read within may be shown.
    """
    token = _lifted.set(True)
    try:
        yield
    finally:
        _lifted.reset(token)


class ScopedQuerySet(models.QuerySet[Any]):
    """Rows of accounts. It needs `for_scope(scope)` before it reads or writes, or raises.

    Rows reached through an instance's own relation (`order.lines`) are within that instance's
    wall already.
    """

    account_field = "account_id"
    _scoped = False

    def for_scope(self, scope: Scope) -> Self:
        """Keep the rows that the scope may reach; `ALL_ACCOUNTS` must be named by the caller."""
        reached = self.all()
        if not scope.everything:
            reached = reached.filter(**{f"{self.account_field}__in": sorted(scope.account_ids)})
        reached._scoped = True
        return reached

    def locked(self, ids: Iterable[UUID | int]) -> Self:
        """Lock these rows in primary-key order: the one order in which rows are ever locked."""
        wanted = self.filter(pk__in=list(ids)).order_by("pk")
        return wanted.select_for_update(of=("self",))

    def _clone(self) -> Self:
        copy: Self = super()._clone()  # type: ignore[misc]  # private, but the documented hook
        copy._scoped = self._scoped
        return copy

    def _require_scope(self) -> None:
        related = "instance" in self._hints  # type: ignore[attr-defined]  # set by Django
        if not (self._scoped or related or _lifted.get()):
            raise ScopeMissing(f"{self.model.__name__} was read without for_scope(…)")

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._require_scope()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._require_scope()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._require_scope()
        return super().count()

    def exists(self) -> bool:
        self._require_scope()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._require_scope()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._require_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._require_scope()
        return super().delete()
