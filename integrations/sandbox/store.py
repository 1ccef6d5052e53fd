"""What a simulator knows: JSON documents by collection and key, and a log of what it was asked.

Kept in two files of a folder, so that a restarted simulator knows what it knew: `<name>.json`, written
whole every few seconds when something has changed, and `<name>.log`, to which each entry is appended.
Without a folder it lives in memory.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from typing import Any

Document = dict[str, Any]
Collection = dict[str, Any]


class Store:
    """`store["orders"]["1001"]` is a document. Whoever changes one holds `lock` and calls `touch`."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.lock = RLock()
        self._path = folder / f"{name}.json" if folder else None
        self._changed = False
        self._collections: dict[str, Collection] = {}
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self._collections = json.loads(self._path.read_text(encoding="utf-8"))

    def __getitem__(self, collection: str) -> Collection:
        return self._collections.setdefault(collection, {})

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._collections))

    def counts(self) -> dict[str, int]:
        return {name: len(self._collections[name]) for name in self}

    def next_number(self, sequence: str, first: int = 1) -> int:
        """The next number of a sequence that survives a restart."""
        numbers = self["_sequences"]
        numbers[sequence] = int(numbers.get(sequence, first - 1)) + 1
        return int(numbers[sequence])

    def touch(self) -> None:
        self._changed = True

    def clear(self) -> None:
        self._collections.clear()
        self._changed = True

    def save(self) -> None:
        """Write the documents, if any has changed. A crash while writing leaves the file before."""
        if self._path is None or not self._changed:
            return
        with self.lock:
            text = json.dumps(self._collections, separators=(",", ":"))
            self._changed = False
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._path)


class Log:
    """What was asked of the simulator and what it sent: append-only, counted by kind."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._lock = RLock()
        self._path = folder / f"{name}.log" if folder else None
        self.entries: list[Document] = []
        self.counts: Counter[str] = Counter()
        if self._path is not None and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                self._take(json.loads(line))

    def append(self, kind: str, **facts: Any) -> None:
        entry = {"n": len(self.entries) + 1, "kind": kind, **facts}
        with self._lock:
            entry["n"] = len(self.entries) + 1
            self._take(entry)
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def of(self, kind: str) -> list[Document]:
        return [entry for entry in self.entries if entry["kind"] == kind]

    def _take(self, entry: Document) -> None:
        self.entries.append(entry)
        self.counts[str(entry["kind"])] += 1
