"""What docs/ lists is what there is: topics, consumers, intents, steps, locks and words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from config.kernel import events, ticker
from config.kernel.access import Permission
from config.kernel.services import intents, jobs

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
APPS = ("kernel", "inventory", "orders", "routing", "fulfillment", "returns", "integrations")
FOLDERS = ("config/kernel", *APPS[1:])
UNITS = {"s": 1, "min": 60, "h": 3_600}

_DOTTED = re.compile(r"[a-z]+\.[a-z_]+")
_LOCK = re.compile(
    r"\.locked\(|select_for_update\(|FOR UPDATE|\block_(orders|positions|tenders|supply)\(|"
    r"\bopen_sheet\(|external_keys\.claim\(|advisory"
)


def table(document: str, first: str) -> Iterator[list[str]]:
    """The cells of every row of the tables whose first column is called so."""
    inside = False
    for line in (DOCS / document).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and not set(cells[0]) <= {"-", ":"}:
            yield cells


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def sources(pattern: str) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((CHECKOUT / folder).glob(pattern))


def recorded_topics() -> set[str]:
    """Dotted names in the code that records events, but for those of other registries."""
    others = {
        *intents.registered(),
        *jobs.registered(),
        *(step.name for quick in (True, False) for step in ticker.steps(quick=quick)),
        *(consumer for consumer, _ in events.subscriptions()),
        *Permission.values,
    }
    return {
        node.value
        for path in (*sources("services/**/*.py"), *sources("services.py"), *sources("ledger.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _DOTTED.fullmatch(node.value)
    } - others


class TestEvents:
    def test_topics_are_those_that_are_recorded(self):
        listed = [topic for row in table("events.md", "Topic") for topic in quoted(row[0])]

        assert sorted(listed) == sorted(recorded_topics())

    def test_consumers_are_those_that_listen(self):
        listed = {
            (consumer, topic)
            for row in table("events.md", "Consumer")
            for consumer in quoted(row[0])
            for topic in quoted(row[1])
            if _DOTTED.fullmatch(topic)
        }

        assert listed == set(events.subscriptions())

    def test_consumers_listen_to_topics_that_are_recorded(self):
        assert {topic for _, topic in events.subscriptions()} <= recorded_topics()

    def test_intents_are_those_that_somebody_performs(self):
        listed = [kind for row in table("events.md", "Intent") for kind in quoted(row[0])]

        assert sorted(listed) == intents.registered()

    def test_steps_are_those_that_run_and_as_often(self):
        listed = {}
        for row in table("events.md", "Step"):
            number, unit = row[1].split()
            listed |= dict.fromkeys(quoted(row[0]), int(number) * UNITS[unit])

        assert listed == {
            step.name: step.every_seconds
            for quick in (True, False)
            for step in ticker.steps(quick=quick)
        }


def locking_modules() -> list[Path]:
    return [
        path
        for path in (*sources("services/**/*.py"), *sources("services.py"))
        if path.name != "__init__.py" and _LOCK.search(path.read_text(encoding="utf-8"))
    ]


def commands_of(path: Path) -> set[str]:
    """The public functions of a module, and the methods of its public classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        node.name
        for body in (tree.body, *(found.body for found in classes))
        for node in body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


class TestLocking:
    def test_finds_modules_to_ask_about(self):
        assert {path.stem for path in locking_modules()} >= {"take", "cancel", "nodes", "inbox"}

    @pytest.mark.parametrize(
        "path", locking_modules(), ids=lambda path: str(path.relative_to(CHECKOUT))
    )
    def test_says_of_every_module_that_locks_what_it_locks(self, path: Path):
        words = quoted((DOCS / "locking.md").read_text(encoding="utf-8"))
        named = {word.rpartition(".")[2] for word in words}

        assert f"{path.stem}.*" in words or commands_of(path) & named

    def test_names_no_command_that_is_not_there(self):
        known = {
            name
            for path in (*sources("services/**/*.py"), *sources("*.py"))
            for name in commands_of(path)
        }
        named = {
            word.rpartition(".")[2]
            for row in table("locking.md", "Command")
            for word in quoted(row[0])
            if not word.endswith("*")
        }

        assert named - known == set()


class TestGlossary:
    def test_defines_the_name_of_every_model(self):
        words = {
            word.strip().lower()
            for row in table("glossary.md", "Word")
            for word in re.sub(r"\([^)]*\)", "", row[0]).split(",")
        }
        models = {
            str(model._meta.verbose_name).lower()
            for model in apps.get_models()
            if model._meta.app_label in APPS and not hasattr(model, "instance_type")
        }

        assert models - words == set()
