"""Ports of this machine for what a home runs beside its services: each home keeps its own."""

import socket
from pathlib import Path

_HOST = "127.0.0.1"
_HIGHEST = 65_535


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def next_free(port: int) -> int:
    """The first free port above this one; the one above it when none is."""
    return next((other for other in range(port + 1, _HIGHEST + 1) if is_free(other)), port + 1)


def kept(root: Path, name: str) -> int | None:
    """The port that the program of this name had in this home when it was last started."""
    try:
        return int(_file(root, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def take(root: Path, name: str) -> int:
    """A port for the program of this name: the one it had, while it is free, else a free one."""
    port = kept(root, name)
    if port is None or not is_free(port):
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            port = int(probe.getsockname()[1])
        _file(root, name).write_text(f"{port}\n", encoding="utf-8")
    return port


def take_row(root: Path, name: str, *, width: int, first: int) -> int:
    """The first of `width` ports in a row: the row it had, while it is free, else the next free one."""
    at = kept(root, name) or first
    while at + width <= _HIGHEST and not all(is_free(port) for port in range(at, at + width)):
        at += width
    _file(root, name).write_text(f"{at}\n", encoding="utf-8")
    return at


def _file(root: Path, name: str) -> Path:
    return root / f"{name}.port"
