"""A mail server that keeps what it takes and delivers to nobody: SMTP in, JSON out.

    GET    /messages                  newest first; ?to= ?message_id= ?limit=
    GET    /messages/{id}             one, with its text, HTML and headers
    DELETE /messages                  forget all

Mail under a Message-ID that it has already is taken and kept once, as mailbox providers do. Its
failure panel counts for SMTP too: `server_error` answers 451, `rate_limit` 421, `silence` takes the
message and hangs up before it says so, `slow` waits.
"""

import asyncio
import socket
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from integrations.sandbox.box import Refusal, Reply, Request, Simulator, route

NAME: Final = "mailbox"
MAX_SHOWN: Final = 500
SLOW_SECONDS: Final = 3.0
UNWILLING: Final = "451 4.3.0 Try again later"
BUSY: Final = "421 4.7.0 Too many messages"
UNKNOWN: Final = "550 5.1.1 There is no such mailbox"
"""For addresses that begin with `nobody@`."""


class Mailbox(Simulator):
    """The simulator; `smtp_port` is where it takes mail."""

    def __init__(self, *args: Any, smtp_port: int = 0, **details: Any) -> None:
        super().__init__(*args, **details)
        self.smtp_port = smtp_port or _free_port()
        self._smtp = Controller(
            _Taker(self), hostname="127.0.0.1", port=self.smtp_port, decode_data=False
        )

    def start(self) -> None:
        super().start()
        self._smtp.start()

    def stop(self) -> None:
        self._smtp.stop()
        super().stop()

    def take(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Keep a message, once per Message-ID."""
        mail = message_from_bytes(raw, policy=policy.default)
        named = str(mail["Message-ID"] or "").strip() or f"<{self.new_id()}@mailbox>"
        with self.store.lock:
            kept = self.store["messages"]
            self.log.append("mail", message_id=named, to=recipients, again=named in kept)
            if named in kept:
                kept[named]["copies"] += 1
            else:
                kept[named] = _shown(mail, named, sender, recipients, self.clock.now())
            self.store.touch()

    @route("GET", "/messages", open=True)
    def list(self, request: Request) -> Reply:
        """What was taken, newest first."""
        wanted, named = request.query.get("to", ""), request.query.get("message_id", "")
        limit = min(int(request.query.get("limit") or MAX_SHOWN), MAX_SHOWN)
        found = [
            mail
            for mail in reversed([*self.store["messages"].values()])
            if (not wanted or wanted in mail["to"]) and (not named or mail["message_id"] == named)
        ]
        return 200, {"messages": found[:limit], "count": len(found)}

    @route("GET", "/messages/{id}", open=True)
    def one(self, request: Request) -> Reply:
        """One message by its Message-ID, with or without the angle brackets."""
        named = f"<{request.params['id'].strip('<>')}>"
        mail = self.store["messages"].get(named)
        if mail is None:
            raise Refusal(404, {"error": "There is no such message."})
        return 200, mail

    @route("DELETE", "/messages", open=True)
    def clear(self, request: Request) -> Reply:
        del request
        self.store["messages"].clear()
        return 200, {"messages": []}


class _Taker:
    """What the SMTP server asks about a message."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(  # noqa: N802  # aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address.startswith("nobody@"):
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del session
        panel = self._mailbox.panel
        if panel.strikes("rate_limit"):
            return BUSY
        if panel.strikes("server_error"):
            return UNWILLING
        if slow := panel.strikes("slow"):
            await asyncio.sleep(slow.seconds or SLOW_SECONDS)
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content or "").encode()
        self._mailbox.take(str(envelope.mail_from), list(envelope.rcpt_tos), raw)
        if panel.strikes("silence"):
            _hang_up(server)
        return "250 2.0.0 Taken"


def _shown(
    mail: EmailMessage, named: str, sender: str, recipients: list[str], now: datetime
) -> dict[str, Any]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return {
        "message_id": named,
        "from": sender,
        "to": recipients,
        "subject": str(mail["Subject"] or ""),
        "text": plain.get_content() if plain else "",
        "html": html.get_content() if html else "",
        "headers": {name: str(value) for name, value in mail.items()},
        "at": now.isoformat(),
        "copies": 1,
    }


def _hang_up(server: SMTP) -> None:
    transport = server.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def build(
    port: int = 0, folder: Path | None = None, seed: int = 7, *, smtp_port: int | None = None
) -> Mailbox:
    """The mailbox, its SMTP one port above its HTTP unless told otherwise."""
    beside = port + 1 if port else 0
    return Mailbox(
        NAME, port, seed, folder=folder, smtp_port=beside if smtp_port is None else smtp_port
    )
