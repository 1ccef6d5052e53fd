"""The mail port: a message goes out by SMTP, bounded in time, and never twice.

What the server has answered is known. A connection that breaks off after the message may have been
taken leaves it open: the server is asked by the Message-ID where it can be (`lookup_path` of the
connection), and otherwise the message stands as perhaps sent. It is not sent again by itself.
"""

import smtplib
from email.utils import formataddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from config.kernel import clock
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent
from integrations import connections
from integrations.buyer import selectors
from integrations.buyer.services import ERASED
from integrations.models import BuyerMessage
from integrations.pacing import Unreached
from integrations.types import ConnectionRef

TIMEOUT_SECONDS: Final = 10
_SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
_PERMANENT: Final = 500


def perform(intent: LeasedIntent) -> Answer:
    """Send the message. What the server refuses for good is refused, for now tried again."""
    row = selectors.message(intent.subject_id)
    letter = selectors.opened(row)
    if not letter:
        return Answer.refused(ERASED)
    server = selectors.mail_connection(row.account_id, row.brand.code)
    if server is not None and not server.live:
        return Answer.retry(
            "The mail connection is not live.",
            after_seconds=connections.PAUSED_SECONDS,
            asked=False,
        )
    backend = _backend(server)
    try:
        backend.open()
    except (OSError, smtplib.SMTPException) as lost:
        return _failed(server, Answer.retry(f"The mail server: {type(lost).__name__}"))
    if refusal := _handed_over(_mail(row, letter, backend), backend):
        return _failed(server, refusal) if refusal.kind is AnswerKind.UNKNOWN else refusal
    if server is not None:
        connections.answered(server.id, at=clock.now())
    return Answer.done(message_id=message_id(row, letter))


def _handed_over(mail: EmailMultiAlternatives, backend: Any) -> Answer | None:
    """Give the mail to the server; None when it has taken it, else what its answer means."""
    try:
        backend.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        return _answered(max(codes, default=_PERMANENT))
    except smtplib.SMTPResponseException as said:
        return _answered(said.smtp_code)
    except (OSError, smtplib.SMTPException) as lost:
        return Answer.unknown(f"The mail server: {type(lost).__name__}")
    finally:
        _close(backend)
    return None


def find(intent: LeasedIntent) -> Answer | None:
    """What became of a sending that broke off: asked by Message-ID, or left as perhaps sent."""
    row = selectors.message(intent.subject_id)
    letter = selectors.opened(row)
    if not letter:
        return Answer.refused(ERASED)
    server = selectors.mail_connection(row.account_id, row.brand.code)
    path = str(server.settings.get("lookup_path", "")) if server else ""
    if server is None or not path:
        return Answer.done(unconfirmed=True)
    wanted = message_id(row, letter)
    try:
        said = connections.client(server).send("GET", path, params={"message_id": wanted})
    except Unreached:
        return Answer.retry("The mail server cannot say what it has taken.")
    return Answer.done(message_id=wanted) if said.body.get("messages") else None


def message_id(row: BuyerMessage, letter: dict[str, str]) -> str:
    """The same in every try of one round: mail servers drop what they have by it."""
    domain = letter["sender"].rpartition("@")[2] or "localhost"
    return f"<{row.pk.hex}.{row.rounds}@{domain}>"


def _mail(row: BuyerMessage, letter: dict[str, str], backend: Any) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        subject=letter["subject"],
        body=letter["plain"],
        from_email=formataddr((letter["sender_name"], letter["sender"])),
        to=[letter["to"]],
        reply_to=[letter["reply_to"]] if letter["reply_to"] else None,
        connection=backend,
        headers={
            "Message-ID": message_id(row, letter),
            "Auto-Submitted": "auto-generated",
            "Content-Language": letter["language"],
        },
    )
    mail.attach_alternative(letter["html"], "text/html")
    return mail


def _backend(server: ConnectionRef | None) -> Any:
    """The connection's server, or the one of the installation's settings."""
    if server is None:
        if settings.EMAIL_BACKEND == _SMTP:
            return get_connection(timeout=TIMEOUT_SECONDS)
        return get_connection()
    known, secrets = server.settings, connections.secrets(server)
    return get_connection(
        _SMTP,
        host=str(known.get("host", "localhost")),
        port=int(known.get("port", 25)),
        username=secrets.get("username", ""),
        password=secrets.get("password", ""),
        use_tls=bool(known.get("starttls")),
        use_ssl=bool(known.get("tls")),
        timeout=TIMEOUT_SECONDS,
    )


def _answered(code: int) -> Answer:
    if code >= _PERMANENT:
        return Answer.refused(f"The mail server refused it ({code}).")
    return Answer.retry(f"The mail server does not take it now ({code}).")


def _failed(server: ConnectionRef | None, answer: Answer) -> Answer:
    if server is not None:
        connections.failed(server.id, answer.error, at=clock.now())
    return answer


def _close(backend: Any) -> None:
    """The answer is known by now: a server that hangs up badly changes nothing."""
    try:
        backend.close()
    except (OSError, smtplib.SMTPException):
        return
