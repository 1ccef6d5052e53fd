"""Sixteen processes at two shelves: whatever they do at once, the books are right."""

from pathlib import Path

import pytest

from inventory.models import StockPosition
from tests.books import check_all
from tests.concurrency.processes import crew, two_shelves

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3_600),
    pytest.mark.django_db(transaction=True),
]
PROCESSES = 16


def run(shelves: list[StockPosition], folder: Path, acts: int, *, locks: bool) -> list[str]:
    """How each act ended."""
    with crew(shelves, folder, range(acts), processes=PROCESSES, locks=locks) as running:
        assert running.program.wait() == 0
        return list(running.acknowledged().values())


@pytest.mark.parametrize("acts", [240, pytest.param(10_000, marks=pytest.mark.soak)])
def test_leave_the_books_right_and_fail_at_nothing(acts: int, tmp_path: Path) -> None:
    ended = run(two_shelves(), tmp_path, acts, locks=True)

    assert len(ended) == acts
    assert [said for said in ended if said.startswith("failed")] == []
    assert ended.count("done") > acts / 2
    assert check_all(about="stock.") == []


def test_without_locks_and_guards_they_do_not(tmp_path: Path) -> None:
    """The negative control: the same acts with locks and guards taken out of the statements."""
    run(two_shelves(), tmp_path, 100, locks=False)

    assert check_all(about="stock.") != []
