"""Ports that a home keeps for what it runs: its own while they are free, and nobody else's."""

import socket
from pathlib import Path

from config.embedded import ports


def listener() -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


class TestTake:
    def test_is_the_same_at_the_second_start(self, tmp_path: Path) -> None:
        first = ports.take(tmp_path, "fakepay")

        assert ports.is_free(first)
        assert ports.take(tmp_path, "fakepay") == first
        assert ports.kept(tmp_path, "fakepay") == first

    def test_is_another_when_somebody_listens_there(self, tmp_path: Path) -> None:
        with listener() as other:
            taken = other.getsockname()[1]
            (tmp_path / "fakepay.port").write_text(str(taken))

            port = ports.take(tmp_path, "fakepay")

        assert port != taken
        assert ports.kept(tmp_path, "fakepay") == port

    def test_is_new_where_what_was_kept_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "fakepay.port").write_text("many")

        assert ports.kept(tmp_path, "fakepay") is None
        assert ports.take(tmp_path, "fakepay") > 0


def test_the_next_free_port_is_one_where_nobody_listens() -> None:
    with listener() as other:
        taken = other.getsockname()[1]

        assert ports.next_free(taken - 1) != taken


class TestTakeRow:
    def test_is_of_ports_that_are_all_free_and_kept(self, tmp_path: Path) -> None:
        with listener() as other:
            taken = other.getsockname()[1]

            first = ports.take_row(tmp_path, "sandbox", width=4, first=taken - 2)

        # Others may listen on ports beyond it.
        assert first > taken
        assert all(ports.is_free(port) for port in range(first, first + 4))
        assert ports.take_row(tmp_path, "sandbox", width=4, first=1) == first
