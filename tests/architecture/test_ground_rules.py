"""What holds in every test: no way out of this machine, warnings are errors, no schema drift."""

import socket
import tomllib
import warnings
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from pytest_socket import SocketConnectBlockedError

CHECKOUT = Path(__file__).resolve().parents[2]
ELSEWHERE = "192.0.2.1"
"""An address that belongs to nobody (RFC 5737)."""


class TestSockets:
    def test_reach_nobody_outside_this_machine(self) -> None:
        refusals = (SocketConnectBlockedError, UserWarning)  # it warns first, and that is an error
        with socket.socket() as outward, pytest.raises(refusals, match=ELSEWHERE):
            outward.connect((ELSEWHERE, 80))

    def test_reach_this_machine(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as inward:
            inward.connect(server.getsockname())

            assert inward.getpeername() == server.getsockname()

    def test_of_the_services_are_unix_sockets(self) -> None:
        database, broker = settings.DATABASES["default"], settings.CELERY_BROKER_URL

        assert str(database["HOST"]).startswith("/")
        assert broker.startswith("redis+socket:///")


class TestWarnings:
    def test_are_errors(self) -> None:
        with pytest.raises(UserWarning, match="look at me"):
            warnings.warn("look at me", stacklevel=1)

    def test_are_ignored_only_by_exact_message_and_with_a_cause(self) -> None:
        text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
        filters = tomllib.loads(text)["tool"]["pytest"]["ini_options"]["filterwarnings"]

        assert filters[0] == "error"
        assert [each for each in filters[1:] if each.count(":") < 2] == []


@pytest.mark.django_db
def test_the_migrations_make_what_the_models_say() -> None:
    said = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=said)

    assert "No changes detected" in said.getvalue()
