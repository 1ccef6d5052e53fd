"""The bell: the servers that hold what may be lost, as long as it is lost all at once."""

from typing import Any

from django.core.cache import caches

from config.celery import app
from config.diagnosis.findings import Finding, fail, ok


def cache() -> Finding:
    backend: Any = caches["default"]
    return _kept_whole(backend._cache.get_client(), "The cache")


def broker() -> Finding:
    with app.connection_for_write(connect_timeout=2) as bell:
        bell.ensure_connection(max_retries=1, timeout=2)
        if bell.transport.driver_type != "redis":
            return ok(f"The broker ({bell.transport.driver_type}) answers.")
        return _kept_whole(bell.default_channel.client, "The broker")


def _kept_whole(client: Any, name: str) -> Finding:
    """A server of Redis's kind that throws nothing away when its memory is full."""
    policy = client.info("memory").get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        return fail(
            f"{name} answers, but may throw keys away (maxmemory-policy {policy}).",
            "Set maxmemory-policy noeviction.",
        )
    return ok(f"{name} answers and evicts nothing.")
