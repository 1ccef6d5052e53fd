"""What no linter knows: read from the source, app by app."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
APPS = {
    "kernel": "config/kernel",
    "inventory": "inventory",
    "orders": "orders",
    "routing": "routing",
    "fulfillment": "fulfillment",
    "returns": "returns",
    "integrations": "integrations",
    "console": "config/console",
}
"""Label → folder. The label is also the prefix of the app's tables."""

LONGEST_ETA = 600
"""Seconds. What is due later is a row with a due time: the broker may lose everything."""


@dataclass(frozen=True)
class Module:
    """A source file of an app, with its tree."""

    label: str
    path: Path
    tree: ast.Module

    def __str__(self) -> str:
        return str(self.path.relative_to(CHECKOUT))

    def at(self, node: ast.AST) -> str:
        return f"{self}:{getattr(node, 'lineno', 1)}"


def read(label: str, path: Path) -> Module:
    return Module(label, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


@cache
def every_module() -> list[Module]:
    return [
        read(label, path)
        for label, folder in APPS.items()
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
    ]


def modules(*, migrations: bool = False) -> Iterator[Module]:
    for module in every_module():
        if migrations or "migrations" not in module.path.parts:
            yield module


def written(text: str) -> Module:
    """A module of orders with this text, for the proof that a rule can fail."""
    return Module("orders", CHECKOUT / "orders" / "written.py", ast.parse(text))


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of the constants that are prose about the code, not part of it."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def imported(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported name in full: `from a import b` is `a.b`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


# --- the rules: each answers the places where a module breaks it ------------------------------


def library_bases(module: Module) -> list[str]:
    """The libraries' own state machine and history are used by our bases alone."""
    allowed = {"config/kernel/fsm.py": "django_fsm", "config/kernel/history.py": "simple_history"}
    banned = ("django_fsm", "simple_history.models", "simple_history.utils")
    return [
        module.at(node)
        for node, name in imported(module)
        if any(name == root or name.startswith(f"{root}.") for root in banned)
        and not name.startswith(allowed.get(str(module), "-"))
        # The refusals of the machine are errors like others; the problem handler answers them.
        and name not in {"django_fsm.TransitionNotAllowed", "django_fsm.ConcurrentTransition"}
    ]


def foreign_tables(module: Module) -> list[str]:
    """SQL of an app names its own tables; across apps it stands in invariants and reports."""
    others = "|".join(label for label in APPS if label != module.label)
    table = re.compile(
        rf'\b(?:from|join|into|update|truncate|lock\s+table|only|using|table)\s+"?({others})_\w+',
        re.IGNORECASE,
    )
    prose = docstrings(module.tree)
    return [
        module.at(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in prose
        and table.search(node.value)
    ]


def models_of_others(module: Module) -> list[str]:
    """`get_model` reaches past an app's services."""
    found = []
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr != "get_model" or not node.args:
            continue
        first = node.args[0]
        if isinstance(first, ast.Name) and first.id == "app_label":
            continue  # a migration's operation is given the label of its own app
        label = first.value if isinstance(first, ast.Constant) else None
        if not isinstance(label, str) or label.partition(".")[0].lower() != module.label:
            found.append(module.at(node))
    return found


def long_waits(module: Module) -> list[str]:
    """No Celery `eta`, and no `countdown` past ten minutes or of unknown length."""
    found = []
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in {"apply_async", "retry", "send_task", "signature", "s", "set"}:
            continue
        for word in node.keywords:
            short = (
                isinstance(word.value, ast.Constant)
                and isinstance(word.value.value, int | float)
                and word.value.value <= LONGEST_ETA
            )
            if word.arg == "eta" or (word.arg == "countdown" and not short):
                found.append(module.at(node))
    return found


def signals(module: Module) -> list[str]:
    """No Django signals in domain code: call down, register a port, or record an event."""
    if str(module) == "config/kernel/fsm.py":
        return []  # it takes the listeners away that the library leaves behind
    return [
        module.at(node)
        for node, name in imported(module)
        if name.startswith(("django.dispatch", "django.db.models.signals", "django.core.signals"))
    ]


def vague_names(module: Module) -> list[str]:
    """A module is named for what it does."""
    return [str(module)] if module.path.stem in {"utils", "helpers", "managers", "misc"} else []


RULES = [library_bases, foreign_tables, models_of_others, long_waits, signals, vague_names]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_app_keeps_the_rule(rule):
    broken = [place for module in modules() for place in rule(module)]

    assert broken == [], rule.__doc__


def test_migrations_take_no_models_of_other_apps():
    """A migration may look at its own past, and at nobody else's."""
    broken = [
        place
        for module in modules(migrations=True)
        if "migrations" in module.path.parts
        for place in models_of_others(module)
    ]

    assert broken == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (library_bases, "from django_fsm import transition"),
        (library_bases, "from simple_history.models import HistoricalRecords"),
        (foreign_tables, "SQL = 'SELECT 1 FROM inventory_stocklevel'"),
        (foreign_tables, 'SQL = f"UPDATE \\"kernel_event\\" SET {column} = 1"'),
        (models_of_others, "apps.get_model('inventory', 'StockLevel')"),
        (models_of_others, "apps.get_model(label, name)"),
        (long_waits, "task.apply_async(countdown=601)"),
        (long_waits, "task.apply_async(eta=later)"),
        (signals, "from django.db.models.signals import post_save"),
        (signals, "from django.dispatch import receiver"),
    ],
)
def test_the_rule_finds_its_breach(rule, text: str):
    assert rule(written(text)) == ["orders/written.py:1"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (foreign_tables, "SQL = 'SELECT 1 FROM orders_order JOIN orders_line ON true'"),
        (foreign_tables, '"""Rows go into inventory_movement, by inventory."""'),
        (models_of_others, "apps.get_model('orders', 'Order')"),
        (models_of_others, "to_state.apps.get_model(app_label, self.model_name)"),
        (long_waits, "task.apply_async(countdown=30)"),
        (library_bases, "from django_fsm import TransitionNotAllowed"),
    ],
)
def test_the_rule_lets_pass_what_it_should(rule, text: str):
    assert rule(written(text)) == []
