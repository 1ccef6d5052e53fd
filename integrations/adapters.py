"""The names of the adapters that are installed: what a connection's `adapter` may say."""

_names: set[str] = set()


def declare(*names: str) -> None:
    """Make adapters known; called from a package's `registration.register_all()`."""
    taken = _names.intersection(names)
    if taken:
        raise ValueError(f"declared twice: {', '.join(sorted(taken))}")
    _names.update(names)


def names() -> list[str]:
    return sorted(_names)
