"""For load balancers: alive (the process answers) and ready (what it needs answers too)."""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Final

import structlog
from django.apps import apps
from django.core.cache import caches
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.module_loading import module_has_submodule
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app

log = structlog.get_logger(__name__)


class NotReady(Exception):
    """Something this process needs is there and not as it must be."""


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process can answer at all; a failing database is no reason to kill it."""
    del request
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, schema, cache and broker are usable, else 503 and which is not."""
    del request
    answers: dict[str, str] = {}
    for name, check in _CHECKS.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001 (whatever it is, the process is not ready)
            log.warning("not ready", check=name, error=repr(error))
            answers[name] = type(error).__name__  # the kind; the words may name hosts
        else:
            answers[name] = "ok"
    ready = set(answers.values()) == {"ok"}
    return JsonResponse({"ready": ready, "checks": answers}, status=200 if ready else 503)


def _database() -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")


@cache
def _schema() -> None:
    """The schema has every migration of this code. Remembered once true: it cannot go back.

    Asked by name first: reading the migrations themselves takes 25 MB that a process never gives back.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if _migrations() <= MigrationRecorder(connection).applied_migrations().keys():
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("migrations are missing")


def _migrations() -> set[tuple[str, str]]:
    """Application and name of every migration of this code; none of them is imported."""
    found = set()
    for application in apps.get_app_configs():
        folder, _ = MigrationLoader.migrations_module(application.label)
        if folder is not None and module_has_submodule(application.module, "migrations"):
            names = pkgutil.iter_modules(import_module(folder).__path__)
            found |= {(application.label, one.name) for one in names if one.name[0] not in "_~"}
    return found


def _cache() -> None:
    caches["default"].get("readyz")


def _broker() -> None:
    with app.connection_for_write(connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, timeout=2)


_CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": _database,
    "schema": _schema,
    "cache": _cache,
    "broker": _broker,
}
