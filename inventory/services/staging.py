"""The rows of a snapshot on their way in: copied, and checked as a whole by set."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from inventory.models import Feed, SnapshotDocument
from inventory.states import SkuKind
from inventory.types import RowProblem, SnapshotRowText

MOST_TOLD: Final = 1_000
DOUBTFUL_PERCENT: Final = 25
FEW: Final = 20
"""Of so few SKUs no share says anything."""


def copy_rows(document: SnapshotDocument, rows: Sequence[SnapshotRowText]) -> list[RowProblem]:
    """COPY rows of known SKUs into the staging table; the others are told."""
    if not rows:
        return []
    skus = _sku_ids(document.account_id, {row.sku for row in rows})
    with (
        connection.cursor() as cursor,
        cursor.copy(
            'COPY inventory_snapshotline (document_id, "row", sku_id, owner_id, condition, lot, '
            "quantity, listed) FROM STDIN"
        ) as copy,
    ):
        for row in rows:
            sku_id = skus.get(row.sku)
            if sku_id is not None:
                copy.write_row(
                    (
                        document.id,
                        row.row,
                        sku_id,
                        row.owner_id or document.account_id,
                        row.condition,
                        row.lot,
                        row.quantity,
                        True,
                    )
                )
    return [
        RowProblem(
            row.row,
            "sku",
            "unknown-sku",
            f"The account keeps no stock of {row.sku[:64]!r}; define the SKU, or drop the row.",
        )
        for row in rows
        if row.sku not in skus
    ]


def check(document: SnapshotDocument, feed: Feed) -> list[RowProblem]:
    """What is wrong with the rows taken together."""
    return [
        *_outdated(document, feed),
        *_doubled(document),
        *_mixed(document),
        *(_doubtful(document) if document.complete else []),
    ]


def add_unlisted(document: SnapshotDocument) -> int:
    """Rows of no units for what a complete snapshot does not list; returns how many.

    Only of conditions that it speaks of at all. A condition of which no lot is listed is one row.
    """
    if not document.complete:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH told AS (
                SELECT sku_id, owner_id, condition, lot FROM inventory_snapshotline
                WHERE document_id = %(document)s
            ), spoken AS (
                SELECT sku_id, owner_id, condition, bool_or(lot = '') AS for_all
                FROM told GROUP BY 1, 2, 3
            ), lacking AS (
                SELECT DISTINCT position.sku_id, position.owner_id, level.condition,
                    CASE WHEN spoken.for_all IS NULL THEN '' ELSE level.lot END AS lot
                FROM inventory_stockposition position
                JOIN inventory_stocklevel level
                    ON level.position_id = position.id AND level.on_hand > 0
                LEFT JOIN spoken ON (spoken.sku_id, spoken.owner_id, spoken.condition)
                    = (position.sku_id, position.owner_id, level.condition)
                WHERE position.node_id = %(node)s AND position.account_id = %(account)s
                  AND level.condition IN (SELECT condition FROM spoken)
                  AND spoken.for_all IS NOT TRUE
                  AND NOT EXISTS (SELECT FROM told
                    WHERE (told.sku_id, told.owner_id, told.condition, told.lot)
                        = (position.sku_id, position.owner_id, level.condition, level.lot))
            )
            INSERT INTO inventory_snapshotline (document_id, "row", sku_id, owner_id, condition,
                lot, quantity, listed)
            SELECT %(document)s, %(rows)s + row_number() OVER (
                ORDER BY sku_id, owner_id, condition, lot),
                sku_id, owner_id, condition, lot, 0, false
            FROM lacking
            """,
            {
                "document": document.id,
                "rows": document.rows,
                "node": document.node_id,
                "account": document.account_id,
            },
        )
        return int(cursor.rowcount)


def clear(document: SnapshotDocument) -> None:
    """Remove the rows of a snapshot that is over."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM inventory_snapshotline WHERE document_id = %s", [document.id])


def _sku_ids(account_id: UUID, codes: set[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, id FROM inventory_sku "
            "WHERE account_id = %s AND code = ANY(%s) AND kind = %s",
            [account_id, list(codes), SkuKind.STOCK.value],
        )
        return dict(cursor.fetchall())


def _outdated(document: SnapshotDocument, feed: Feed) -> list[RowProblem]:
    if feed.as_of is None or document.as_of >= feed.as_of:
        return []
    detail = f"A snapshot as of {feed.as_of:%Y-%m-%d %H:%M:%S} UTC stands; send a newer one."
    return [RowProblem(0, "", "outdated", detail)]


def _doubled(document: SnapshotDocument) -> list[RowProblem]:
    """Every row whose place another row before it has named."""
    rows = _query(
        """
        SELECT "row", earlier FROM (
            SELECT "row", min("row") OVER (PARTITION BY sku_id, owner_id, condition, lot) AS earlier
            FROM inventory_snapshotline WHERE document_id = %s) AS placed
        WHERE "row" <> earlier ORDER BY 1 LIMIT %s
        """,
        [document.id, MOST_TOLD],
    )
    return [
        RowProblem(row, "sku", "doubled", f"Row {earlier} tells of the same stock; drop one.")
        for row, earlier in rows
    ]


def _mixed(document: SnapshotDocument) -> list[RowProblem]:
    """Rows without a lot speak for all lots, so none of these may be told beside them."""
    rows = _query(
        """
        SELECT "row" FROM (
            SELECT "row", lot, bool_or(lot <> '') OVER (
                PARTITION BY sku_id, owner_id, condition) AS in_lots
            FROM inventory_snapshotline WHERE document_id = %s) AS placed
        WHERE lot = '' AND in_lots ORDER BY 1 LIMIT %s
        """,
        [document.id, MOST_TOLD],
    )
    detail = "Other rows tell of single lots of this stock; name the lot here, or leave theirs out."
    return [RowProblem(row, "lot", "mixed-lots", detail) for (row,) in rows]


def _doubtful(document: SnapshotDocument) -> list[RowProblem]:
    """A complete list without much of what is in stock is more likely cut off than true."""
    [(stocked, missing)] = _query(
        """
        SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
            SELECT FROM inventory_snapshotline line
            WHERE line.document_id = %s AND line.sku_id = held.sku_id))
        FROM (SELECT DISTINCT sku_id FROM inventory_stockposition
            WHERE node_id = %s AND account_id = %s AND sellable > 0) AS held
        """,
        [document.id, document.node_id, document.account_id],
    )
    if missing <= max(FEW, stocked * DOUBTFUL_PERCENT // 100):
        return []
    detail = f"{missing} of {stocked} SKUs with stock are not on the list; send the whole of it."
    return [RowProblem(0, "", "doubtful", detail)]


def _query(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
