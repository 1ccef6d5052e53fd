"""The open lines of a reconciliation: neighbours that explain each other, and one case each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from config.kernel import case_reports
from inventory.models import Reconciliation
from inventory.probable import UNEXPLAINED, pairs
from inventory.states import DifferenceCause
from inventory.types import SubjectTag, subject_id

STOCK_UNRECONCILED: Final = "STOCK_UNRECONCILED"
FEED_DOUBTFUL: Final = "FEED_DOUBTFUL"
DOUBTFUL_PERCENT: Final = 25
FEW: Final = 20
_PAGE: Final = 2_000


@dataclass(slots=True)
class _Open:
    id: int
    code: str
    sku_id: int
    position_id: int
    units: int
    cause: str
    partner: str = ""


def name_causes(run: Reconciliation, *, at: datetime) -> None:
    """Report each open line with its probable cause, or the whole run when it is itself at fault.

    Lines that nothing explains and that differ by as many units each way are neighbours: they are
    looked for over the whole run, SKUs whose codes stand next to each other first.
    """
    if not run.opened:
        return
    lines = _open_lines(run)
    bare = [line for line in lines if line.cause in UNEXPLAINED]
    partners = pairs((line.code, line.units) for line in bare)
    for line in bare:
        line.partner = partners.get(line.code, "")
    _keep_partners([line for line in bare if line.partner])
    if len(lines) > max(FEW, run.compared * DOUBTFUL_PERCENT // 100):
        _report_doubt(run, len(lines), at=at)
        return
    for start in range(0, len(lines), _PAGE):
        _report(run, lines[start : start + _PAGE], at=at)


def _open_lines(run: Reconciliation) -> list[_Open]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT line.id, sku.code, line.sku_id, line.position_id, line.units, line.cause
            FROM inventory_difference line JOIN inventory_sku sku ON sku.id = line.sku_id
            WHERE line.run_id = %s AND line.state = 'open' ORDER BY sku.code, line.id
            """,
            [run.id],
        )
        return [_Open(*row) for row in cursor.fetchall()]


def _keep_partners(lines: Sequence[_Open]) -> None:
    for line in lines:
        line.cause = DifferenceCause.NEIGHBOUR.value
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_difference line SET cause = 'neighbour',
                evidence = line.evidence || jsonb_build_object('partner', known.partner)
            FROM unnest(%s::bigint[], %s::text[]) AS known (id, partner) WHERE line.id = known.id
            """,
            [[line.id for line in lines], [line.partner for line in lines]],
        )


def _report(run: Reconciliation, lines: Sequence[_Open], *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                STOCK_UNRECONCILED,
                "position",
                subject_id(SubjectTag.POSITION, line.position_id),
                run.account_id,
                {"node_id": run.node_id, "sku_id": line.sku_id, "sku": line.code}
                | {"units": line.units, "cause": line.cause, "partner": line.partner}
                | {"run_id": str(run.id)},
                cause=f"node:{run.node_id}:{line.cause}",
            )
            for line in lines
        ],
        at=at,
    )


def _report_doubt(run: Reconciliation, opened: int, *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                FEED_DOUBTFUL,
                "feed",
                subject_id(SubjectTag.FEED, run.feed_id),
                run.account_id,
                {"node_id": run.node_id, "differ": opened, "compared": run.compared}
                | {"run_id": str(run.id)},
                cause=f"node:{run.node_id}",
            )
        ],
        at=at,
    )
