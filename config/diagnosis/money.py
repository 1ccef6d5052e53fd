"""Whether money can be taken: a provider is set up, it answers, and it does not refuse everything."""

from typing import Final
from uuid import UUID

from config.diagnosis.findings import Finding, fail, listed, ok, rows, warn
from orders import payments

LEAST_REFUSED: Final = 5
"""So many refused captures within the hour are more than a few declined cards."""
_NEVER_USED: Final = "doctor:does-it-answer"
"""A key that no provider was ever called with: what it says of it does not matter."""


def providers() -> Finding:
    """Each payment provider that is set up here answers a question about nothing."""
    known: list[tuple[UUID | None, str]] = [
        *((None, code) for code in payments.registered()),
        *payments.connected(),
    ]
    codes = [code for _, code in known]
    if not codes:
        return warn(
            "No payment provider is set up: money that is to be captured here is refused.",
            "Right where the channels collect it; else see “Payment providers” in docs/running.md.",
        )
    silent = []
    for account_id, code in known:
        answer = payments.provider(code, account_id).find(_NEVER_USED)
        if answer is not None and answer.status in {"unknown", "retry"}:
            silent.append(code)
    if silent:
        return warn(
            f"The payment provider {listed(silent)} does not answer.",
            "Nothing is lost: captures are asked for again. Look at its address and its own status.",
        )
    return ok(f"The payment provider {listed(codes)} answers.")


def captures() -> Finding:
    """Of the captures that were asked for within the hour, most were not refused."""
    # Ids begin with the time of the machine that made them, which keeps this to the last rows.
    ((refused, answered, why),) = rows(
        """
        SELECT count(*) FILTER (WHERE state = 'failed'),
            count(*) FILTER (WHERE state IN ('failed', 'succeeded')),
            coalesce(mode() WITHIN GROUP (ORDER BY failure) FILTER (WHERE state = 'failed'), '')
        FROM orders_capture
        WHERE id >= (lpad(to_hex(
            (extract(epoch FROM clock_timestamp() - interval '1 hour') * 1000)::bigint
        ), 12, '0') || repeat('0', 20))::uuid
        """
    )
    if refused >= LEAST_REFUSED and 2 * refused > answered:
        return fail(
            f"{refused} of {answered} captures of the last hour were refused, mostly: {why}",
            "Mend the cause at the provider, then retry from the cases PAYMENT_FAILED.",
        )
    return ok(f"{answered - refused} of {answered} captures of the last hour succeeded.")
