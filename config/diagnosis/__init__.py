"""Is this installation well? Each check is one question with a sentence for an answer.

A check fails when work stands still, promises may be lost or data is unguarded; it warns when
something waits for a person or will fail one day. Nothing here changes anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from config.diagnosis import bell, money, storage, work
from config.diagnosis.findings import Finding, Level, fail, warn


@dataclass(frozen=True, slots=True)
class Check:
    """`ask` raises when it cannot be answered at all; `remedy` says what to look at then.

    When a `ground` check fails, those after it that ask the database are left out.
    """

    name: str
    ask: Callable[[], Finding]
    remedy: str
    on_database: bool = True
    ground: bool = False


CHECKS: Final = (
    Check(
        "database",
        storage.database,
        "Start PostgreSQL; look at DATABASE_URL and at the server's log.",
        ground=True,
    ),
    Check("migrations", storage.migrations, "Run manage.py migrate as the owner.", ground=True),
    Check("role", storage.role, "Run config/sql/roles.sql as a superuser."),
    Check("partitions", storage.partitions, "Run manage.py migrate as the owner."),
    Check("clock", storage.clock, "Look at the database's log."),
    Check("secrets", storage.secrets, "Set SECRET_KEY and SWITCHYARD_VAULT_KEY."),
    Check("cache", bell.cache, "Start Redis or Valkey; look at REDIS_URL.", on_database=False),
    Check(
        "broker", bell.broker, "Start it; look at CELERY_BROKER_URL, REDIS_URL.", on_database=False
    ),
    Check("workers", work.workers, "Run manage.py migrate as the owner."),
    Check("outbox", work.outbox, "Run manage.py migrate as the owner."),
    Check("deliveries", work.deliveries, "Run manage.py migrate as the owner."),
    Check("intents", work.intents, "Run manage.py migrate as the owner."),
    Check("jobs", work.jobs, "Run manage.py migrate as the owner."),
    Check("case reports", work.case_reports, "Run manage.py migrate as the owner."),
    Check("inbox", work.inbox, "Run manage.py migrate as the owner."),
    Check("payments", money.providers, "Look at the provider's address.", on_database=False),
    Check("captures", money.captures, "Run manage.py migrate as the owner."),
)


def diagnose() -> list[tuple[str, Finding]]:
    """Every check by name with its finding, in the order in which one depends on another."""
    found: list[tuple[str, Finding]] = []
    missing = ""
    for check in CHECKS:
        if check.on_database and missing:
            found.append((check.name, warn(f"Not looked at: {missing} comes first.")))
            continue
        finding = _asked(check)
        if check.ground and finding.level is Level.FAIL:
            missing = check.name
        found.append((check.name, finding))
    return found


def _asked(check: Check) -> Finding:
    try:
        if not check.on_database:
            return check.ask()
        with transaction.atomic():
            return check.ask()
    except Exception as error:  # noqa: BLE001  # whatever stands in the way is the finding
        words = str(error).strip().partition("\n")[0]
        return fail(f"{type(error).__name__}: {words}", check.remedy)
