"""Make `.venv` and install a hashed lock into it, unless that has been done already.

`python requirements/sync.py demo|dev|core`. Needs Python 3.11 and nothing else; uses uv when it is
there, because it is quicker. What a lock held when it was installed is remembered by its hash.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".venv"
PYTHON = VENV / "bin" / "python"
INCLUDED = {"core": ("core", "demo", "dev"), "demo": ("demo", "dev"), "dev": ("dev",)}
"""Which installed locks satisfy which wish."""


def main(wanted: str) -> int:
    lock = os.open(HERE, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once install once
    if not works():
        make()
    if any(stamp(name).exists() for name in INCLUDED[wanted]):
        return 0
    if not (install_with_uv(wanted) or install_with_pip(wanted)):
        sys.stderr.write(f"Installing requirements/{wanted}.txt failed.\n")
        return 1
    for old in VENV.glob(".installed-*"):
        old.unlink()
    stamp(wanted).touch()
    return 0


def stamp(name: str) -> Path:
    digest = hashlib.sha256((HERE / f"{name}.txt").read_bytes()).hexdigest()[:16]
    return VENV / f".installed-{name}-{digest}"


def works() -> bool:
    """Whether there is an environment, and the Python it was made of is still there."""
    test = [PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return PYTHON.exists() and subprocess.run(test, check=False).returncode == 0


def make() -> None:
    sys.stderr.write(f"Making .venv with Python {sys.version.split()[0]}\n")
    shutil.rmtree(VENV, ignore_errors=True)
    uv = shutil.which("uv")
    if uv and not run([uv, "venv", "--quiet", "--python", sys.executable, VENV]):
        return
    if run([sys.executable, "-m", "venv", VENV]):
        sys.exit("Python's venv module does not work; on Debian, install python3-venv.")


def install_with_uv(name: str) -> bool:
    uv = shutil.which("uv")
    if uv is None:
        return False
    words = [uv, "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes"]
    words += ["-r", HERE / f"{name}.txt"]
    # The lock names every file by its hash: what the cache holds need not be asked for again.
    return run([*words, "--offline"], quiet=True) == 0 or run(words) == 0


def install_with_pip(name: str) -> bool:
    if run([PYTHON, "-m", "pip", "--version"], quiet=True):
        run([PYTHON, "-m", "ensurepip", "--default-pip"], quiet=True)
    words = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return run([*words, "--require-hashes", "-r", HERE / f"{name}.txt"]) == 0


def run(words: list[str | Path], *, quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(words, check=False, stdout=output, stderr=output).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
