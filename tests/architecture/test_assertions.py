"""Every test says what must be true: one that only runs the code proves that it does not crash."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
REFUSALS = {"raises", "warns", "fail"}
"""What pytest calls the statement that something must be refused."""
SAYINGS = {"expect"}
"""Playwright's."""


def collected(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if function and node.name.startswith("test"):
            yield node


def called(node: ast.AST) -> str:
    """The last name of what a call calls, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def says_something(test: ast.AST) -> bool:
    names = {called(node) for node in ast.walk(test)}
    return (
        any(isinstance(node, ast.Assert) for node in ast.walk(test))
        or bool(names & (REFUSALS | SAYINGS))
        or any("assert_" in name for name in names)
    )


def silent(source: str) -> list[str]:
    """The tests of a module that say nothing."""
    return [test.name for test in collected(ast.parse(source)) if not says_something(test)]


def test_no_test_is_silent():
    found = {
        str(path.relative_to(TESTS)): names
        for path in sorted(TESTS.rglob("test_*.py"))
        if (names := silent(path.read_text(encoding="utf-8")))
    }

    assert found == {}


def test_a_silent_test_is_found():
    source = "class TestIt:\n    def test_runs(self):\n        run()\n"

    assert silent(source) == ["test_runs"]


def test_what_says_something_passes():
    said = [
        "assert run()",
        "with pytest.raises(Refusal): run()",
        "expect(page).to_have_url('x')",
        "with django_assert_num_queries(3): run()",
    ]

    assert [silent(f"def test_it():\n    {each}\n") for each in said] == [[], [], [], []]
