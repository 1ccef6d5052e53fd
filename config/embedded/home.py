"""Where one set of embedded services lives: its files, its sockets, its keys, its address.

A home is a folder of the checkout (`var`, or `var/test` for the tests). Knowing an address starts
nothing, so settings may ask for it. PostgreSQL refuses to run as root and its account may not be
able to enter the checkout: for root its files lie under `/var/tmp/switchyard-<key>`.
"""

import json
import os
import pwd
import secrets
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote

from config.env import kept

CHECKOUT: Final = Path(__file__).resolve().parents[2]
DATABASE: Final = "switchyard"
OWNER_ROLE: Final = "switchyard_owner"
APP_ROLE: Final = "switchyard_app"

_SOCKET_PATH_LIMIT: Final = 107
"""Bytes that a socket's path may have (sun_path less its NUL; macOS has 103, see _MARGIN)."""
_MARGIN: Final = len("/.s.PGSQL.5432.lock") + 4


class EmbeddedError(Exception):
    """The embedded services cannot be had. The message says what a person can do about it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that PostgreSQL runs as when the caller is root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Keys:
    """What was drawn once for a home: the name of its folders and its passwords."""

    name: str
    superuser: str
    owner: str
    app: str


@dataclass(frozen=True)
class Home:
    """The place of one PostgreSQL and one Valkey. `durable` is False where a crash may lose data.

    `tuning` replaces settings of the server, by name.
    """

    root: Path
    durable: bool = True
    tuning: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_checkout(cls) -> "Home":
        """The home of demo and development; `SWITCHYARD_VAR` moves it."""
        return cls(_var())

    @classmethod
    def of_tests(cls, worker: str = "") -> "Home":
        """The home of the test suite: apart from the demo's data, and without fsync.

        Each worker of a parallel run has its own: a transaction that is open in one database holds
        up the relay of every other database of the server.
        """
        return cls(_var() / (f"test-{worker}" if worker else "test"), durable=False)

    @cached_property
    def keys(self) -> Keys:
        text = kept(self.root / "cluster.json", _draw_keys)
        return Keys(**json.loads(text))

    @cached_property
    def account(self) -> Account | None:
        if os.geteuid() != 0:
            return None
        entry = pwd.getpwnam("nobody")
        return Account(entry.pw_uid, entry.pw_gid)

    @property
    def run(self) -> Path:
        """Locks."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def valkey_files(self) -> Path:
        return self.root / "valkey"

    @cached_property
    def postgres_base(self) -> Path:
        """The parent of PostgreSQL's data and, for root, of its sockets."""
        if self.account is None:
            return self.root
        return Path("/var/tmp") / f"switchyard-{self.keys.name}"  # noqa: S108 (owner is checked)

    @property
    def postgres_files(self) -> Path:
        return self.postgres_base / "postgres"

    @cached_property
    def sockets(self) -> Path:
        """A private folder for sockets, short enough for their paths wherever the checkout lies."""
        if len(os.fsencode(self.run)) + _MARGIN <= _SOCKET_PATH_LIMIT - 4:
            return self.run
        return Path(tempfile.gettempdir()) / f"switchyard-{self.keys.name}-s"

    @property
    def postgres_sockets(self) -> Path:
        return self.sockets if self.account is None else self.postgres_base / "s"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        """As the role that runs the application."""
        return self._url(APP_ROLE, self.keys.app)

    @property
    def owner_url(self) -> str:
        """As the role that owns the schema."""
        return self._url(OWNER_ROLE, self.keys.owner)

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.valkey_socket))}?db=0"

    def _url(self, role: str, password: str) -> str:
        where = quote(str(self.postgres_sockets), safe="/")
        return f"postgresql://{role}:{password}@/{DATABASE}?host={where}"

    def found(self) -> None:
        """Create the folder of locks, which must be there before anything can be done in turn."""
        private_folder(self.run)

    def furnish(self) -> None:
        """Create the other folders, under the start lock; refuse what somebody else prepared."""
        for folder in (self.logs, self.valkey_files):
            folder.mkdir(parents=True, exist_ok=True)
        private_folder(self.sockets)
        if self.account is not None:
            private_folder(self.postgres_base, mode=0o711)
            private_folder(self.postgres_sockets, account=self.account)


def private_folder(folder: Path, *, mode: int = 0o700, account: Account | None = None) -> None:
    """Make `folder` ours alone. A folder that another account made, or a link, is refused."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=mode)
    status = folder.lstat()
    owners = {os.geteuid()} if account is None else {os.geteuid(), account.uid}
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
        raise EmbeddedError(f"{folder} belongs to somebody else; remove it and start again.")
    if stat.S_IMODE(status.st_mode) != mode:
        folder.chmod(mode)
    if account is not None and status.st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)


def _var() -> Path:
    return Path(os.environ.get("SWITCHYARD_VAR") or CHECKOUT / "var").resolve()


def _draw_keys() -> str:
    drawn = {"name": secrets.token_hex(5)}
    drawn |= {role: secrets.token_urlsafe(24) for role in ("superuser", "owner", "app")}
    return json.dumps(drawn)
