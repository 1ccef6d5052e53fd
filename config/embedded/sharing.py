"""Who uses the embedded services, and who stops them: the last one to leave.

Every process that uses a home holds a shared lock on `run/users.lock`; the kernel drops it however
the process ends. Starting and leaving happen under `run/start.lock`, one at a time. Whoever can
take the users' lock for itself while it leaves is the last, and stops the services.
"""

import atexit
import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Final

from config.embedded.home import EmbeddedError, Home
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

SERVICES: Final = ("postgres", "valkey")


@dataclass(frozen=True, slots=True)
class Running:
    """Where the services are reached, embedded or given by the environment."""

    database_url: str
    owner_url: str
    redis_url: str

    def environ(self) -> dict[str, str]:
        """For a program that is not Switchyard's and must be told."""
        return {
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "REDIS_URL": self.redis_url,
        }


@dataclass(slots=True)
class _Hold:
    """One process's share in one home."""

    home: Home
    pid: int
    users: IO[str]
    services: set[str] = field(default_factory=set)


_holds: Final[dict[str, _Hold]] = {}


def addresses(home: Home | None = None) -> Running:
    """Where the services are or would be. Starts nothing, so that settings may ask."""
    home = home or Home.of_checkout()
    database_url = os.environ.get("DATABASE_URL") or home.database_url
    owner_url = os.environ.get("DATABASE_OWNER_URL") or (
        os.environ.get("DATABASE_URL") or home.owner_url
    )
    return Running(database_url, owner_url, os.environ.get("REDIS_URL") or home.redis_url)


def ensure(services: Collection[str] = SERVICES, *, home: Home | None = None) -> Running:
    """Have the services running while this process lives, and say where.

    A service whose `DATABASE_URL` or `REDIS_URL` is set is left alone. Asking again is free of
    effect but for what died since, which is started again. They are given back at exit.
    """
    home = home or Home.of_checkout()
    wanted = {name for name in services if not _given(name)}
    if wanted:
        with start_lock(home):
            home.furnish()
            hold = _hold(home)
            for service in (Postgres(home), Valkey(home)):
                if service.name in wanted:
                    service.start()
                    hold.services.add(service.name)
    return addresses(home)


def release(home: Home | None = None) -> None:
    """Give the services back; whoever is the last user stops them. Without a hold, no effect."""
    home = home or Home.of_checkout()
    hold = _holds.get(str(home.root))
    if hold is None or hold.pid != os.getpid():
        return  # a fork of the holder has no share of its own to give back
    with start_lock(home):
        try:
            fcntl.flock(hold.users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # others use them
        else:
            Valkey(home).stop()
            Postgres(home).stop()
        hold.users.close()
        del _holds[str(home.root)]


def keep(home: Home | None = None) -> list[str]:
    """Start again what died of the services that this process holds; answers their names."""
    home = home or Home.of_checkout()
    hold = _holds.get(str(home.root))
    if hold is None:
        return []
    dead = [
        service
        for service in (Postgres(home), Valkey(home))
        if service.name in hold.services and service.pid() is None
    ]
    if dead:
        with start_lock(home):
            for service in dead:
                service.start()
    return [service.name for service in dead]


def wipe(home: Home | None = None) -> None:
    """Delete the data, so that the next start is the first; the keys stay.

    Gives back this process's own share. Refused with EmbeddedError while anybody else has one.
    """
    home = home or Home.of_checkout()
    release(home)
    with start_lock(home), (home.run / "users.lock").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError("The services are in use; stop what uses them first.") from None
        Valkey(home).stop()
        Postgres(home).stop()
        for folder in (home.postgres_files, home.valkey_files):
            if folder.exists():
                shutil.rmtree(folder)


@contextmanager
def start_lock(home: Home) -> Iterator[None]:
    """One process at a time starts or stops the services of a home."""
    home.found()
    with (home.run / "start.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _given(service: str) -> bool:
    return bool(os.environ.get("DATABASE_URL" if service == "postgres" else "REDIS_URL"))


def _hold(home: Home) -> _Hold:
    """Answer the share of this process, taken when it has none: a fork takes its own."""
    hold = _holds.get(str(home.root))
    if hold is not None and hold.pid == os.getpid():
        return hold
    if hold is not None:
        hold.users.close()
    users = (home.run / "users.lock").open("a")
    fcntl.flock(users, fcntl.LOCK_SH)
    hold = _holds[str(home.root)] = _Hold(home, os.getpid(), users)
    atexit.register(release, home)
    return hold
