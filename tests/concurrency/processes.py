"""Start processes at the same shelves, and read what they were told had been done."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from inventory.models import StockPosition
from tests.factories.inventory import NodeFactory, SkuFactory, stock

PROGRAM: Final = Path(__file__).with_name("stock_processes.py")
CHECKOUT: Final = PROGRAM.parents[2]
_ADDRESS: Final = ("NAME", "USER", "PASSWORD", "HOST", "PORT")


def two_shelves() -> list[StockPosition]:
    """One SKU at two nodes, forty units each."""
    sku = SkuFactory()
    return [stock(40, sku=sku, node=NodeFactory(account=sku.account)) for _ in range(2)]


@dataclass
class Crew:
    """What is running: the program, its children by pid, and where they write."""

    program: "subprocess.Popen[str]"
    children: list[int]
    folder: Path
    name: str

    def acknowledged(self) -> dict[int, str]:
        """How each act ended that somebody was told of. A line that was cut short says nothing."""
        said = {}
        for file in self.folder.glob(f"{self.name}-*"):
            for line in file.read_text().split("\n")[:-1]:
                number, _, ended = line.partition(" ")
                said[int(number)] = ended
        return said


@contextmanager
def crew(
    shelves: list[StockPosition],
    folder: Path,
    numbers: range,
    *,
    processes: int,
    locks: bool = True,
) -> Iterator[Crew]:
    """Have so many processes do these acts; what still runs at the end is killed."""
    name = f"acts-{len(list(folder.iterdir()))}"
    task: dict[str, Any] = {
        "database": {part: connection.settings_dict[part] for part in _ADDRESS},
        "places": [(row.pk, row.node_id, row.sku_id, str(row.account_id)) for row in shelves],
        "folder": str(folder),
        "name": name,
        "first": numbers.start,
        "last": numbers.stop,
        "processes": processes,
        "locks": locks,
    }
    path = os.pathsep.join([str(CHECKOUT), *(part for part in sys.path if part)])
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
            "PYTHONPATH": path,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(json.dumps(task) + "\n")
        program.stdin.flush()
        children = [int(pid) for pid in program.stdout.readline().split()]
        assert len(children) == processes, "the program did not start"
        try:
            yield Crew(program, children, folder, name)
        finally:
            if program.poll() is None:
                os.killpg(program.pid, 9)
