"""Two hundred snapshot files that are wrong, each in its own way: refused, and nothing is changed."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from config.kernel.errors import DomainError
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Movement, SnapshotLine, StockLevel, StockPosition
from inventory.snapshot_files import decoded, read_file
from inventory.types import SnapshotDraft
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, stock
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

MORNING = NOON - timedelta(hours=3)
FILES = 200
HEADER = "sku,quantity,condition,lot"

Lines = list[str]
Spoil = Callable[[Lines, random.Random], Lines | bytes]


def at_row(change: Callable[[list[str]], list[str]]) -> Spoil:
    """Spoil the cells of one row."""

    def spoil(lines: Lines, dice: random.Random) -> Lines:
        row = dice.randrange(1, len(lines) - 1)
        return [*lines[:row], ",".join(change(lines[row].split(","))), *lines[row + 1 :]]

    return spoil


def cell(index: int, *values: str) -> list[Spoil]:
    return [
        at_row(lambda cells, value=value: [*cells[:index], value, *cells[index + 1 :]])
        for value in values
    ]


def header(text: str) -> Spoil:
    return lambda lines, _dice: [text, *lines[1:]]


def last(*lines_of_end: str) -> Spoil:
    return lambda lines, _dice: [*lines[:-1], *lines_of_end]


def cut_off(lines: Lines, dice: random.Random) -> Lines:
    return [*lines[: dice.randrange(2, len(lines) - 1)], lines[-1]]


def doubled(lines: Lines, dice: random.Random) -> Lines:
    return [*lines[:-1], dice.choice(lines[1:-1])]


def mixed_lots(lines: Lines, dice: random.Random) -> Lines:
    sku = dice.choice(lines[1:-1]).split(",")[0]
    return [*lines[:-1], f"{sku},1,available,L-9"]


def bytes_within(wrong: bytes) -> Spoil:
    def spoil(lines: Lines, dice: random.Random) -> bytes:
        row = dice.randrange(1, len(lines))
        lines = [line.encode() for line in lines]
        return b"\n".join([*lines[:row], wrong + lines[row], *lines[row + 1 :]])

    return spoil


WAYS: list[Spoil] = [
    *cell(0, "", "NO-SUCH-SKU", "x" * 65, " "),
    *cell(
        1, "", "-1", "1.5", "1e3", "many", "１２", "9999999999", "+4", "0x10", "1 000", "NaN", "--3"
    ),
    *cell(2, "shiny", "AVAILABLE", "avail"),
    *cell(3, "L" * 65),
    at_row(lambda cells: cells[:2]),
    at_row(lambda cells: [*cells, "more"]),
    at_row(lambda cells: [";".join(cells)]),
    at_row(lambda cells: [f'"{cells[0]}"x', *cells[1:]]),
    at_row(lambda cells: [f'"{cells[0]}', *cells[1:]]),
    at_row(lambda cells: [*cells[:3], "L" * 10_001]),
    header("sku,quantity,condition"),
    header("quantity,condition,lot,bin"),
    header("sku,condition,lot,owner"),
    header("sku,sku,quantity,lot"),
    header(HEADER.replace(",", ";")),
    header(HEADER.replace(",", "\t")),
    header("A-1,3,available,"),
    last("END,99,5"),
    last("END,12,1"),
    last("END,12"),
    last("END,twelve,5"),
    last("END,12,66", "A-1,3,available,"),
    cut_off,
    doubled,
    mixed_lots,
    bytes_within(b"\xff"),
    bytes_within("ü".encode("latin-1")),
    bytes_within(b"\0"),
    lambda lines, _dice: "\n".join(lines).encode("utf-16"),
    lambda _lines, dice: dice.randbytes(200),
    lambda _lines, _dice: b"",
    lambda _lines, _dice: b"\n\n",
    lambda lines, _dice: lines[:1],
    lambda _lines, dice: b"PK\x03\x04" + dice.randbytes(50),
]


def standing() -> tuple[object, ...]:
    return tuple(
        list(model.objects.for_scope(ALL_ACCOUNTS).order_by("pk").values_list())
        for model in (StockPosition, StockLevel, Movement)
    )


def test_two_hundred_malformed_files_are_refused_and_change_nothing():
    dice = random.Random(4)  # noqa: S311  # spoils files, guards nothing
    account, node = AccountFactory(), NodeFactory()
    skus = SkuFactory.create_batch(12, account=account)
    stock(3, sku=skus[0], node=node, at=NOON - timedelta(days=9))
    rows = [f"{sku.code},{units},available," for units, sku in enumerate(skus)]
    good = [HEADER, *rows, "END,12,66"]
    draft = SnapshotDraft(node.pk, account.pk, "wms", MORNING)
    before = standing()
    told: list[tuple[int, str]] = []
    for number in range(FILES):
        spoiled = WAYS[number % len(WAYS)](good, dice)
        body = spoiled if isinstance(spoiled, bytes) else "\n".join(spoiled).encode()
        read = read_file(decoded([body[:40], body[40:]]))

        document = services.send_snapshot(draft, read, services.Totals(), at=NOON, actor=ANNA)

        problems = list(document.problems.order_by("pk"))
        assert document.state == "refused", (number, body)
        assert problems, (number, body)
        assert document.problems_found == len(problems)
        assert all(one.code and one.detail.endswith(".") for one in problems)
        assert all(";" in one.detail for one in problems), [one.detail for one in problems]
        told.extend((one.row, one.code) for one in problems)

    assert standing() == before
    assert not SnapshotLine.objects.exists()
    assert len({code for _, code in told}) >= 20
    assert max(row for row, _ in told) <= 13


def test_what_is_of_the_future_is_not_even_opened():
    node, account = NodeFactory(), AccountFactory()
    draft = SnapshotDraft(node.pk, account.pk, "wms", NOON + timedelta(seconds=1))

    with pytest.raises(DomainError):
        services.open_snapshot(draft, at=NOON, actor=ANNA)
