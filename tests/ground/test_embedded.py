"""Trials of the embedded services with real processes, each in a home of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from config.embedded import Home, process, release
from config.embedded.home import CHECKOUT, EmbeddedError, private_folder
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

USER = """
import sys
from pathlib import Path
from config import embedded
home = embedded.Home(Path(sys.argv[1]))
embedded.ensure(home=home)
print("up", flush=True)
sys.stdin.readline()
embedded.ensure(home=home)
print("again", flush=True)
sys.stdin.readline()
"""

SUPERVISOR = """
import sys
from pathlib import Path
from config import embedded
home = embedded.Home(Path(sys.argv[1]))
with embedded.Stack(home) as stack:
    child = stack.spawn("beat", [sys.executable, "-c", "import time; time.sleep(600)"])
    stack.supervise()
    print(child.process.pid, flush=True)
    stack.run_until_signal()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One cluster for the trials of this module: making it is what takes the time."""
    made = Home(tmp_path_factory.mktemp("home"))
    yield made
    release(made)
    Valkey(made).stop()
    Postgres(made).stop()
    if made.account is not None:
        shutil.rmtree(made.postgres_base)


@contextmanager
def running(program: str, home: Home, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a program that uses the home; it is killed at the end if it did not leave by itself."""
    free = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home.root)],
        cwd=CHECKOUT,
        env=free | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        try:
            yield user
        finally:
            if user.poll() is None:
                user.kill()


def said(user: "subprocess.Popen[str]") -> str:
    assert user.stdout is not None
    return user.stdout.readline().strip()


def tell(user: "subprocess.Popen[str]") -> None:
    assert user.stdin is not None
    user.stdin.write("\n")
    user.stdin.flush()


def query(home: Home, sql: str, *, url: str = "") -> list[tuple[object, ...]]:
    with psycopg.connect(url or home.owner_url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


class TestEnsure:
    def test_is_shared_and_the_last_user_stops_it(self, home: Home):
        with running(USER, home) as first, running(USER, home) as second:
            assert said(first) == said(second) == "up"
            pids = Postgres(home).pid(), Valkey(home).pid()
            first.communicate("\n\n", timeout=30)
            after_the_first = Postgres(home).pid(), Valkey(home).pid()
            second.communicate("\n\n", timeout=30)

        assert None not in pids
        assert after_the_first == pids
        assert (Postgres(home).pid(), Valkey(home).pid()) == (None, None)

    def test_adopts_what_a_killed_user_left(self, home: Home):
        with running(USER, home) as killed:
            said(killed)
            pids = Postgres(home).pid(), Valkey(home).pid()
        with running(USER, home) as heir:
            said(heir)
            adopted = Postgres(home).pid(), Valkey(home).pid()
            heir.communicate("\n\n", timeout=30)

        assert None not in pids
        assert adopted == pids
        assert Postgres(home).pid() is None

    def test_recovers_with_its_data_after_the_servers_were_killed(self, home: Home):
        with running(USER, home) as user:
            said(user)
            query(home, "CREATE TABLE IF NOT EXISTS kept (n int)")
            query(home, "INSERT INTO kept VALUES (42)")
            killed = [Postgres(home).pid(), Valkey(home).pid()]
            for pid in killed:
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
            process.wait_until(lambda: Postgres(home).pid() is None, seconds=5)
            tell(user)

            assert said(user) == "again"
            assert {Postgres(home).pid(), Valkey(home).pid()}.isdisjoint({*killed, None})
            assert query(home, "SELECT n FROM kept") == [(42,)]
            user.communicate("\n", timeout=30)

    def test_starts_nothing_where_an_address_is_given(self, home: Home):
        given = {"DATABASE_URL": "postgresql://db.example/oms", "REDIS_URL": "redis://r.example/0"}

        with running(USER, home, **given) as user:
            said(user)

            assert (Postgres(home).pid(), Valkey(home).pid()) == (None, None)
            user.communicate("\n\n", timeout=30)

    def test_gives_the_application_rows_and_not_the_schema(self, home: Home):
        with running(USER, home) as user:
            said(user)
            query(home, "CREATE TABLE IF NOT EXISTS rights (n bigserial, at timestamptz)")
            query(home, "INSERT INTO rights DEFAULT VALUES", url=home.database_url)

            for refused in ("TRUNCATE rights", "DROP TABLE rights", "CREATE TABLE mine ()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    query(home, refused, url=home.database_url)
            limits = query(
                home,
                "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
                " current_setting('TimeZone')",
                url=home.database_url,
            )
            assert limits == [("5s", "1min", "UTC")]
            user.communicate("\n\n", timeout=30)


class TestWipe:
    def test_deletes_the_data_once_nobody_uses_it(self, home: Home):
        environ = os.environ | {"SWITCHYARD_VAR": str(home.root)}
        words = [sys.executable, "-m", "config.embedded", "wipe"]
        with running(USER, home) as user:
            said(user)
            refused = subprocess.run(
                words, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False
            )
            kept = home.postgres_files.exists()
            user.communicate("\n\n", timeout=30)

        subprocess.run(words, cwd=CHECKOUT, env=environ, check=True)

        assert (refused.returncode, kept) == (2, True)
        assert "in use" in refused.stderr
        assert not home.postgres_files.exists()


class TestStack:
    def test_leaves_no_child_when_it_is_killed_and_its_heir_adopts(self, home: Home):
        with running(SUPERVISOR, home) as killed:
            orphan = int(said(killed))
            postgres = Postgres(home).pid()
            killed.kill()
            killed.wait()
        gone = process.wait_until(lambda: not process.alive(orphan), seconds=10)

        with running(SUPERVISOR, home) as heir:
            child = int(said(heir))
            adopted = Postgres(home).pid()
            heir.terminate()
            assert heir.wait(timeout=30) == 0

        assert gone or not process.alive(orphan)
        assert adopted == postgres
        assert not process.alive(child)
        assert (Postgres(home).pid(), Valkey(home).pid()) == (None, None)

    def test_ends_a_child_that_its_killed_predecessor_left(self, home: Home):
        stubborn = SUPERVISOR.replace(
            "import time;", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        )
        with running(stubborn, home) as killed:
            orphan = int(said(killed))
            time.sleep(0.3)  # until it ignores the signal
            killed.kill()
            killed.wait()
        outlived = process.alive(orphan)

        with running(SUPERVISOR.replace("import sys\n", IMPATIENT, 1), home) as heir:
            said(heir)

            assert outlived
            assert not process.alive(orphan)
            heir.terminate()
            heir.wait(timeout=30)

    def test_refuses_a_second_supervisor(self, home: Home):
        with running(SUPERVISOR, home) as first:
            said(first)
            with running(SUPERVISOR + "\n", home) as second:
                assert second.wait(timeout=30) == 1
            first.terminate()
            first.wait(timeout=30)


IMPATIENT = """
import sys
from config.embedded import supervisor
supervisor.GRACE = 0.2
"""


class TestHome:
    def test_keeps_its_keys(self, tmp_path: Path):
        first, second = Home(tmp_path), Home(tmp_path)

        assert first.owner_url == second.owner_url
        assert set(json.loads((tmp_path / "cluster.json").read_text())) == {
            "name",
            "superuser",
            "owner",
            "app",
        }

    def test_keeps_socket_paths_short_in_a_deep_checkout(self, tmp_path: Path):
        deep = Home(tmp_path / ("d" * 60) / ("e" * 60))

        longest = max(
            len(str(deep.valkey_socket)), len(str(deep.postgres_sockets / ".s.PGSQL.5432.lock"))
        )

        assert longest < 104

    def test_refuses_a_folder_that_is_a_link(self, tmp_path: Path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "run").symlink_to(tmp_path / "elsewhere")

        with pytest.raises(EmbeddedError, match="belongs to somebody else"):
            private_folder(tmp_path / "run")
