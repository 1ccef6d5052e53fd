"""Work that must not stand still: steps, events, deliveries, intents, jobs, reports, messages."""

from typing import Final

from config.diagnosis.findings import Finding, fail, listed, ok, rows, span, warn
from config.kernel import ticker
from config.kernel.selectors import outbox_lag

SILENT_SECONDS: Final = 60.0
"""How long the quick steps, due every few seconds, may be unheard of."""
LAG_WARN_SECONDS: Final = 15.0
LAG_FAIL_SECONDS: Final = 120.0
JOB_IDLE_MINUTES: Final = 10
INBOX_MINUTES: Final = 5


def workers() -> Finding:
    """Periodic steps run: beat rings, and a worker hears it."""
    every = {step.lease: step for quick in (True, False) for step in ticker.steps(quick=quick)}
    heard: dict[str, float] = {
        name: 0.0 if idle is None else idle
        for name, idle in rows(
            "SELECT name, extract(epoch FROM clock_timestamp() - done_at)::float8 "
            "FROM kernel_lease WHERE name = ANY(%s) "
            "AND (done_at IS NOT NULL OR expires_at > clock_timestamp())",
            [list(every)],
        )
    }
    remedy = "Start celery -A config worker and celery -A config beat; read their logs."
    if not heard:
        return fail("No periodic step has ever been run.", remedy)
    last = min(heard.values())
    if last > SILENT_SECONDS:
        return fail(f"The last periodic step was done {span(last)} ago.", remedy)
    late = [
        step.name
        for lease, step in every.items()
        if heard.get(lease, float("inf")) > 3 * step.every_seconds + SILENT_SECONDS
    ]
    if late:
        return warn(f"Steps that do not come round: {listed(late)}.", "Read the worker's log.")
    return ok(f"{len(every)} periodic steps come round, the last {span(last)} ago.")


def outbox() -> Finding:
    """The relay stands at the horizon of running transactions, and the horizon moves."""
    ((unread, behind, beyond),) = rows(_OUTBOX)
    if behind > LAG_WARN_SECONDS:
        said = f"{unread} events wait for the relay, the oldest for {span(behind)}."
        remedy = "Start worker and beat: the tick relays."
        return fail(said, remedy) if behind > LAG_FAIL_SECONDS else warn(said, remedy)
    if beyond > LAG_WARN_SECONDS:
        return warn(
            f"Events of the last {span(beyond)} wait behind a transaction that is still open.",
            "Find it in pg_stat_activity, ordered by xact_start, and end it.",
        )
    return ok("The relay stands at the horizon: every event is handed out.")


_OUTBOX: Final = """
WITH position AS (
    SELECT xid, event_id FROM kernel_relaycursor
    UNION ALL
    SELECT '0', '00000000-0000-0000-0000-000000000000'
    WHERE NOT EXISTS (SELECT FROM kernel_relaycursor)
), unread AS (
    SELECT e.recorded_at, e.xid < pg_snapshot_xmin(pg_current_snapshot()) AS readable
    FROM position JOIN kernel_event e ON (e.xid, e.id) > (position.xid, position.event_id)
)
SELECT count(*) FILTER (WHERE readable),
    coalesce(extract(epoch FROM clock_timestamp()
        - min(recorded_at) FILTER (WHERE readable)), 0)::float8,
    coalesce(extract(epoch FROM clock_timestamp()
        - min(recorded_at) FILTER (WHERE NOT readable)), 0)::float8
FROM unread
"""


def deliveries() -> Finding:
    lag = outbox_lag()
    if lag.dead:
        return fail(
            f"{lag.dead} deliveries gave up; what follows them stands still.",
            "Read their error on the console's health page, mend the cause, replay them.",
        )
    if lag.oldest_pending_seconds > LAG_WARN_SECONDS:
        said = f"{lag.pending} deliveries are open, one since {span(lag.oldest_pending_seconds)}."
        remedy = "Start more workers for the queue ticks, or read the worker's log."
        late = lag.oldest_pending_seconds > LAG_FAIL_SECONDS
        return fail(said, remedy) if late else warn(said, remedy)
    return ok(f"{lag.pending} deliveries are open, none is late or dead.")


def intents() -> Finding:
    ((dead, due, late),) = rows(
        """
        SELECT count(*) FILTER (WHERE state = 'dead'),
            count(*) FILTER (WHERE state <> 'dead' AND NOT behind AND due_at <= clock_timestamp()),
            coalesce(extract(epoch FROM clock_timestamp()
                - min(due_at) FILTER (WHERE state <> 'dead' AND NOT behind)), 0)::float8
        FROM kernel_intent WHERE state NOT IN ('done', 'refused')
        """
    )
    if late > LAG_FAIL_SECONDS:
        return fail(
            f"{due} calls to the outside are due, one since {span(late)}.",
            "Start a worker for the queue ticks, or read the worker's log.",
        )
    if dead:
        return warn(
            f"{dead} calls to the outside were given up.",
            "Work on their cases (DEAD_INTENT): ask the other side, then revive or settle by hand.",
        )
    return ok("No call to the outside is late or dead.")


def jobs() -> Finding:
    ((stuck, oldest),) = rows(
        """
        SELECT count(*), min(title) FROM kernel_job
        WHERE state IN ('queued', 'running')
          AND (lease_until IS NULL OR lease_until <= clock_timestamp())
          AND coalesce(progressed_at, started_at, queued_at)
              < clock_timestamp() - make_interval(mins => %s)
        """,
        [JOB_IDLE_MINUTES],
    )
    if stuck:
        return warn(
            f"{stuck} jobs have not moved for {JOB_IDLE_MINUTES} minutes, among them “{oldest}”.",
            "Start a worker that knows their kind; look at their last error.",
        )
    return ok("Every open job moves.")


def case_reports() -> Finding:
    ((waiting, oldest),) = rows(
        "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)"
        "::float8 FROM kernel_casereport WHERE NOT folded"
    )
    if oldest > LAG_WARN_SECONDS:
        said = f"{waiting} reports are not cases yet, one since {span(oldest)}."
        remedy = "Start a worker: it folds reports each second."
        return fail(said, remedy) if oldest > LAG_FAIL_SECONDS else warn(said, remedy)
    return ok("What was reported has become a case.")


def inbox() -> Finding:
    ((open_, dead),) = rows(
        """
        SELECT count(*) FILTER (WHERE state = 'received'
                AND recorded_at < clock_timestamp() - make_interval(mins => %s)),
            count(*) FILTER (WHERE state = 'dead')
        FROM integrations_inboxmessage WHERE state IN ('received', 'dead')
        """,
        [INBOX_MINUTES],
    )
    if open_:
        return fail(
            f"{open_} messages from outside had no effect within {INBOX_MINUTES} minutes.",
            "Start worker and beat; read the last error on the console's inbox page.",
        )
    if dead:
        return warn(
            f"{dead} messages from outside could not be understood.",
            "Read the reasons on the console's inbox page, mend the cause, replay them.",
        )
    return ok("Every message from outside is settled.")
