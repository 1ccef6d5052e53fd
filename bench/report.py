"""Figures of one run: a table for people, JSON for comparing.

`python -m bench.report FILE` prints a written JSON as the table of docs/performance.md.
"""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `floor_ratio` relates it to the named floor of the same run."""

    name: str
    value: float
    unit: str
    expected: str = ""
    floor_ratio: float | None = None
    notes: str = ""


@dataclass(slots=True)
class Report:
    """The figures of a run. `floor` holds its floors, orders per second by script."""

    figures: list[Figure] = field(default_factory=list)
    floor: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def of_floor(self, rate: float, script: str) -> float | None:
        """The rate as a part of that floor; None when the floor was not measured in this run."""
        floor = self.floor.get(script)
        return rate / floor if floor else None

    def skip(self, part: str, why: str) -> None:
        self.skipped[part] = why
        print(f"  {part}: skipped, {why}", flush=True)

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)
        print(f"  {self.line(figure)}", flush=True)

    @staticmethod
    def line(figure: Figure) -> str:
        ratio = "" if figure.floor_ratio is None else f"  {figure.floor_ratio:.3f} of its floor"
        expected = f"  (expected {figure.expected})" if figure.expected else ""
        notes = f"  {figure.notes}" if figure.notes else ""
        return f"{figure.name:<52} {figure.value:>12,.1f} {figure.unit}{ratio}{expected}{notes}"

    def write(self, path: Path) -> None:
        machine: dict[str, Any] = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        }
        body = {
            "machine": machine,
            "figures": [asdict(figure) for figure in self.figures],
            "skipped": self.skipped,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body, indent=2) + "\n")


def percentile(samples: list[float], share: float) -> float:
    """The sample below which `share` (0 to 1) of the samples lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def markdown(path: Path) -> str:
    """The rows of docs/performance.md from a run's JSON."""
    rows = ["| | figure | of its floor | expected | |", "|---|---|---|---|---|"]
    for row in json.loads(path.read_text())["figures"]:
        figure = Figure(**row)
        digits = 0 if figure.value >= 100 else 1 if figure.value >= 10 else 2
        ratio = "" if figure.floor_ratio is None else f"{figure.floor_ratio:.3f}"
        value = f"{figure.value:,.{digits}f} {figure.unit}"
        rows.append(f"| {figure.name} | {value} | {ratio} | {figure.expected} | {figure.notes} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(markdown(Path(sys.argv[1])))
