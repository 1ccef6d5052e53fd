"""Where the record lies: the database, who may do what in it, its partitions, time and secrets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from config.diagnosis.findings import Finding, fail, listed, ok, rows, warn
from config.kernel import vault
from config.kernel.operations import MONTHS_AHEAD, AppendOnly, month_after

LEAST_POSTGRES: Final = 18
SKEW_WARN_SECONDS: Final = 0.5
SKEW_FAIL_SECONDS: Final = 5.0
LEAST_SECRET: Final = 32


def database() -> Finding:
    ((version, number, role),) = rows(
        "SELECT current_setting('server_version'), "
        "current_setting('server_version_num')::int, current_user"
    )
    if number < LEAST_POSTGRES * 10_000:
        return fail(
            f"PostgreSQL {version} is too old.", f"Upgrade to PostgreSQL {LEAST_POSTGRES} or newer."
        )
    return ok(f"PostgreSQL {version} answers as {role}.")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        first = missing[0][0]
        return fail(
            f"{len(missing)} migrations are missing, the first is {first.app_label}.{first.name}.",
            "Run manage.py migrate as the owner.",
        )
    return ok("Every migration is applied.")


def role() -> Finding:
    """The role that runs may truncate nothing and rewrite nothing that is append-only."""
    name: str = settings.DATABASE_APP_ROLE
    remedy = "Run config/sql/roles.sql as a superuser, and migrations as switchyard_owner."
    ((known, connected),) = rows("SELECT to_regrole(%s) IS NOT NULL, current_user", [name])
    if not known:
        return fail(f"There is no role {name}.", remedy)
    if loose := sorted(_loose_tables(name)):
        return fail(f"{name} could rewrite or empty {listed(loose)}.", remedy)
    if connected != name:
        return warn(
            f"{name} has no right too many, but this process is {connected}.",
            f"Let DATABASE_URL name {name}; only migrations need the owner.",
        )
    return ok(f"{name} can neither truncate nor change what is append-only.")


def _loose_tables(name: str) -> Iterator[str]:
    """Tables that the role may truncate; append-only ones it may change or no trigger guards."""
    append_only = _append_only()
    for table, truncates, changes, guarded, is_partition in rows(
        """
        SELECT c.relname, has_table_privilege(%(role)s, c.oid, 'TRUNCATE'),
            has_table_privilege(%(role)s, c.oid, 'UPDATE')
                OR has_table_privilege(%(role)s, c.oid, 'DELETE'),
            EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid
                AND t.tgname = 'append_only' AND t.tgenabled <> 'D'),
            c.relispartition
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        """,
        {"role": name},
    ):
        whole = table.rpartition("_")[0] if is_partition else table
        # A partition is written through its table; reached directly, its trigger refuses.
        loose = not guarded or (changes and not is_partition)
        if truncates or (whole in append_only and loose):
            yield table


def _append_only() -> set[str]:
    """The tables that migrations have made append-only."""
    loader = MigrationLoader(None)
    return {
        f"{migration.app_label}_{operation.model_name}".lower()
        for migration in loader.disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, AppendOnly)
    }


def partitions() -> Finding:
    """From this month three ahead each table has its partition, and no row lies outside a month."""
    parents = [name for (name,) in rows(_PARTITIONED)]
    stray = [name for name in parents if rows(f'SELECT 1 FROM "{name}_default" LIMIT 1')]  # noqa: S608  # names of the catalog
    if stray:
        return fail(
            f"Rows lie in the default partition of {listed(stray)}.",
            "As the owner, in one transaction: detach it, make the month's partition, move the "
            "rows, attach it again.",
        )
    ((today,),) = rows("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
    months = [today.replace(day=1)]
    for _ in range(MONTHS_AHEAD):
        months.append(month_after(months[-1]))
    known = {name for (name,) in rows("SELECT relname FROM pg_class WHERE relispartition")}
    remedy = "Start worker and beat, or run SELECT ensure_partitions(3) as the owner."
    for ahead, month in enumerate(months):
        missing = [name for name in parents if f"{name}_{month:%Y%m}" not in known]
        if missing:
            said = f"There is no partition for {month:%B %Y} of {listed(missing)}."
            return fail(said, remedy) if ahead < 2 else warn(said, remedy)
    return ok(f"{len(parents)} tables have their partitions up to {months[-1]:%B %Y}.")


_PARTITIONED: Final = """
    SELECT relname FROM pg_class
    WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""


def clock() -> Finding:
    """Machine and database agree on the time, beyond what the question took."""
    before = datetime.now(UTC)
    ((theirs,),) = rows("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    zero = timedelta()
    apart = max(theirs - after, before - theirs, zero).total_seconds()
    said = f"This machine's clock and the database's are {apart:.1f} s apart."
    remedy = "Run a time service (chrony, systemd-timesyncd) on both machines."
    if apart > SKEW_FAIL_SECONDS:
        return fail(said, remedy)
    return warn(said, remedy) if apart > SKEW_WARN_SECONDS else ok(said)


def secrets() -> Finding:
    """They are set, hard to guess, and the vault key is the one that data was sealed with."""
    remedy = "Set it to the output of openssl rand -hex 40, in the environment or as NAME_FILE."
    for name in ("SECRET_KEY", "SWITCHYARD_VAULT_KEY"):
        value: str = getattr(settings, name, "")
        if len(value) < LEAST_SECRET or value.startswith("django-insecure"):
            return fail(f"{name} is missing or easy to guess.", remedy)
    first = rows("SELECT id FROM kernel_subjectkey WHERE wrapped IS NOT NULL ORDER BY id LIMIT 1")
    try:
        vault.preload([key_id for (key_id,) in first])
    except vault.Tampered:
        return fail(
            "Personal data was sealed with another SWITCHYARD_VAULT_KEY.",
            "Set the key of this database; without it personal data cannot be read.",
        )
    return ok("Secrets are set, and the vault opens.")
