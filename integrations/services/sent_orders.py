"""Orders that programs sent to our own API, kept with what became of them.

They lie in the inbox like messages of a shop, under the source `api:<channel>`: refused ones are
ignored, what failed through a fault of ours is dead; both can be replayed.
"""

import base64
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from config.kernel import case_reports, ids, vault
from config.kernel.case_reports import Report
from config.kernel.types import OutcomeKind
from integrations.cases import INBOX_DEAD
from integrations.states import InboxState
from integrations.types import OUR_API
from orders.keeping import SentOrder

KIND = "orders"
_HEADERS = {"content-type": "application/json"}


def keep_sent_orders(sent: Sequence[SentOrder], *, at: datetime) -> None:
    """Keep them sealed, each under a key of its own; two statements for any number.

    Runs inside the caller's transaction. Faults open a case.
    """
    keys = vault.new_keys(len(sent))
    rows = [(ids.uuid7(), one) for one in sent]
    sealed = [
        vault.seal(key.id, {"headers": _HEADERS, "raw": base64.b64encode(one.raw).decode()})
        for key, one in zip(keys, sent, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH sent AS (
                SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[],
                    %s::text[], %s::text[], %s::uuid[], %s::uuid[], %s::bytea[])
                AS sent (id, account_id, channel_id, source, state, code, reason, order_id, key_id,
                    sealed)),
            bodies AS (
                INSERT INTO integrations_inboxbody (id, key_id, sealed)
                SELECT id, key_id, sealed FROM sent)
            INSERT INTO integrations_inboxmessage (id, account_id, channel_id, source, external_id,
                kind, state, code, reason, attempts, subject_kind, subject_id, thread_id,
                received_at, settled_at)
            SELECT id, account_id, channel_id, source, id::text, %s, state, code, reason, 1,
                CASE WHEN order_id IS NULL THEN '' ELSE 'order' END, order_id, order_id, %s, %s
            FROM sent
            """,
            [
                [row_id for row_id, _ in rows],
                [one.account_id for one in sent],
                [one.channel_id for one in sent],
                [f"{OUR_API}:{one.channel_code}" for one in sent],
                [_state(one).value for one in sent],
                [one.code[:48] for one in sent],
                [one.reason for one in sent],
                [one.order_id for one in sent],
                [key.id for key in keys],
                sealed,
                KIND,
                at,
                at,
            ],
        )
    case_reports.report(
        [
            Report(
                INBOX_DEAD,
                "inbox_message",
                row_id,
                one.account_id,
                evidence={
                    "source": f"{OUR_API}:{one.channel_code}",
                    "code": one.code,
                    "kind": KIND,
                },
                cause=f"{OUR_API}:{one.code}",
            )
            for row_id, one in rows
            if one.fault
        ],
        at=at,
    )


def _state(one: SentOrder) -> InboxState:
    if one.fault:
        return InboxState.DEAD
    return InboxState.APPLIED if one.outcome is OutcomeKind.DONE else InboxState.IGNORED
