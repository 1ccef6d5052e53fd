"""The ground of every test: the suite's own services, and no way out of this machine."""

import gc
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

import hypothesis
import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from config import embedded

# What is slow may be the machine.
hypothesis.settings.register_profile(
    "switchyard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("switchyard")


def pytest_configure(config: pytest.Config) -> None:
    """Start the services before a test asks for a database; each worker has its own.

    Settings know the address beforehand, so nothing needs to be handed on.
    """
    if _runs_tests(config):
        embedded.ensure(home=settings.TEST_HOME)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _runs_tests(config):
        embedded.release(settings.TEST_HOME)


def _runs_tests(config: pytest.Config) -> bool:
    """Not in the process that only shares them out, nor where they are listed."""
    shares_out = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    return not shares_out and not config.option.collectonly


_DRAWN: Final = 20
"""Tests that one weighs which draws its examples."""
_BESIDE: Final = 2
"""Modules that compute for each that waits."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that wait for processes and browsers among those with the most to do.

    Workers take a module at a time: while one waits the others compute, and at the end only short
    ones are left to share out.
    """
    slow = set()
    weights: Counter[str] = Counter()
    for item in items:
        module = item.nodeid.partition("::")[0]
        weights[module] += _DRAWN if hasattr(getattr(item, "obj", None), "hypothesis") else 1
        if item.get_closest_marker("slow") or item.get_closest_marker("browser"):
            slow.add(module)

    heaviest = sorted(weights, key=lambda module: (-weights[module], module))
    computing = iter([module for module in heaviest if module not in slow])
    mixed: list[str] = []
    for module in filter(slow.__contains__, heaviest):
        mixed += [module, *islice(computing, _BESIDE)]
    places = {module: place for place, module in enumerate([*mixed, *computing])}
    items.sort(key=lambda item: places[item.nodeid.partition("::")[0]])


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look through it for rubbish takes seconds a time."""
    gc.freeze()


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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database is dropped by the connection that made it; no other may be open then."""
    from django.db import connections

    yield
    with django_db_blocker.unblock():
        connections.close_all()


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

    It is committed and swept after the module: a transaction that long would hold up its own relay.
    Tests are handed copies (`deepcopy`). For modules none of whose tests commits.
    """
    from django.db import connection

    from tests.quick_flush import flush

    with django_db_blocker.unblock():
        yield
        flush(connection)


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Empty only what a committing test has filled, on the connection that the test had.

    Django opens another after each of them, which would plan every query of emptying anew.
    """
    from django.test import TransactionTestCase

    from tests.quick_flush import teardown

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _: False)
        yield
