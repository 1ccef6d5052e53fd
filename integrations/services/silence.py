"""Silence is an error: connections that should have had news are reported."""

from datetime import datetime

from config.kernel import case_reports
from config.kernel.case_reports import Report
from integrations import selectors
from integrations.cases import CONNECTION_SILENT


def report_silent(*, at: datetime) -> int:
    """Report every connection without news within its expected time; answer how many."""
    found = selectors.silent(at)
    case_reports.report(
        [
            Report(
                CONNECTION_SILENT,
                "connection",
                ref.id,
                ref.account_id,
                evidence={"connection": ref.source},
                cause=ref.source,
            )
            for ref in found
        ],
        at=at,
    )
    return len(found)
