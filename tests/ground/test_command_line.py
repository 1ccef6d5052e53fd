import os
import threading

import pytest

from config import command_line, embedded


@pytest.fixture
def started(monkeypatch):
    """Which commands asked for services; what they put into the environment is forgotten."""
    asked: list[bool] = []
    monkeypatch.setattr(embedded, "ensure", lambda *_, **__: asked.append(True))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings.local")
    monkeypatch.delenv("SWITCHYARD_DB_ROLE", raising=False)
    monkeypatch.setenv("DEBUG", "")
    monkeypatch.delenv("DEBUG")
    return asked


class TestPrepare:
    @pytest.mark.parametrize("command", ["runserver", "migrate", "shell", "check_invariants"])
    def test_starts_the_services_for_what_may_use_them(self, started, command: str):
        command_line.prepare(["manage.py", command])

        assert started == [True]

    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["help"],
            ["--version"],
            ["migrate", "--help"],
            ["check", "--deploy"],
            ["makemigrations", "--check", "--dry-run"],
            ["spectacular", "--validate"],
            ["collectstatic", "--noinput"],
        ],
    )
    def test_starts_nothing_for_what_needs_no_database(self, started, words: list[str]):
        command_line.prepare(["manage.py", *words])

        assert started == []

    def test_starts_the_services_of_the_demo_while_it_is_loaded(self, started):
        command_line.prepare(["manage.py", "demo"])

        for thread in threading.enumerate():
            if thread.name == "embedded":
                thread.join()
        assert started == [True]

    @pytest.mark.parametrize(("command", "debug"), [("demo_life", "false"), ("runserver", None)])
    @pytest.mark.usefixtures("started")
    def test_keeps_no_statements_in_what_lives_long(self, command: str, debug: str | None):
        command_line.prepare(["manage.py", command])

        assert os.environ.get("DEBUG") == debug

    def test_starts_the_services_for_a_check_of_the_database(self, started):
        command_line.prepare(["manage.py", "check", "--database", "default"])

        assert started == [True]

    @pytest.mark.parametrize(
        "words",
        [["--settings=config.settings.production"], ["--settings", "config.settings.production"]],
    )
    def test_starts_nothing_under_production_settings(self, started, words: list[str]):
        command_line.prepare(["manage.py", "migrate", *words])

        assert started == []

    @pytest.mark.parametrize(("command", "role"), [("migrate", "owner"), ("flush", "owner")])
    def test_runs_what_changes_the_schema_as_the_owner(self, started, command: str, role: str):
        command_line.prepare(["manage.py", command])

        assert os.environ.pop("SWITCHYARD_DB_ROLE") == role

    def test_runs_everything_else_as_the_application(self, started):
        command_line.prepare(["manage.py", "shell"])

        assert "SWITCHYARD_DB_ROLE" not in os.environ

    def test_ends_with_the_reason_when_there_is_no_database(self, started, monkeypatch, capsys):
        def refuse() -> None:
            raise embedded.EmbeddedError("There is no PostgreSQL: set DATABASE_URL.")

        monkeypatch.setattr(embedded, "ensure", refuse)

        with pytest.raises(SystemExit) as ended:
            command_line.prepare(["manage.py", "shell"])

        assert ended.value.code == 2
        assert capsys.readouterr().err == "There is no PostgreSQL: set DATABASE_URL.\n"
