"""The ground of every test: the suite's own services, and no way out of this machine."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from config import embedded

# What is slow may be the machine.
settings.register_profile("switchyard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("switchyard")


def pytest_configure(config: pytest.Config) -> None:
    """Start the services before a test asks for a database. Workers use what the first one started.

    Settings know the address beforehand, so nothing needs to be handed on.
    """
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        embedded.ensure(home=embedded.Home.of_tests())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        embedded.release(embedded.Home.of_tests())


_DRAWN: Final = 20
"""Tests that one weighs which draws its examples."""


_RELAYING: Final = ("relay_all", "deliver_all")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that wait for processes and browsers come first, then those with the most to do.

    Workers take a module at a time: at the end only short ones are left to share out. What relays
    comes first as well: it waits for the oldest transaction of the server, and a module that keeps
    its rows (`kept_rows`) has one open until it ends.
    """
    slow = set()
    weights: Counter[str] = Counter()
    for item in items:
        module = item.nodeid.partition("::")[0]
        weights[module] += _DRAWN if hasattr(getattr(item, "obj", None), "hypothesis") else 1
        relays = any(hasattr(getattr(item, "module", None), name) for name in _RELAYING)
        if relays or item.get_closest_marker("slow") or item.get_closest_marker("browser"):
            slow.add(module)

    def place(item: pytest.Item) -> tuple[bool, int, str]:
        module = item.nodeid.partition("::")[0]
        return module not in slow, -weights[module], module

    items.sort(key=place)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Copy the test database from a migrated template: seconds instead of a minute."""
    from django.db import connection

    from tests.template_database import template_database

    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = template_database()


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Versions, keys and business time start anew in every test; what a process keeps must too."""
    import inventory.selectors
    from config.kernel import authentication, clock, vault
    from integrations import connections
    from routing import reference

    for keeper in (authentication, clock, vault, inventory.selectors, reference, connections):
        keeper.forget()


@pytest.fixture(scope="session", autouse=True)
def _locks_watched() -> Iterator[None]:
    from tests.lock_order import watching

    with watching():
        yield


@pytest.fixture(autouse=True)
def _locks_in_order(_locks_watched: None) -> Iterator[None]:
    """What a test runs, in whatever thread, locks its rows in the one global order."""
    from tests.lock_order import violations

    yield
    found = [*violations]
    violations.clear()
    assert found == []


@pytest.fixture(scope="module")
def kept_rows(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, _locks_watched: None
) -> Iterator[None]:
    """What a module's fixtures make after this, all its tests find; a test undoes its own.

    It is committed and swept after the module: a transaction that long would hold up every relay of
    the server. Tests are handed copies (`deepcopy`). For modules none of whose tests commits.
    """
    from django.db import connection

    from tests.quick_flush import flush

    with django_db_blocker.unblock():
        yield
        flush(connection)


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Empty only what a committing test has filled."""
    from django.test import TransactionTestCase

    from tests.quick_flush import teardown

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield
