"""Personal data: sealed per person, found by keyed hash, erased with the key."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from config.kernel import ids, vault
from config.kernel.models import SubjectKey

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANNA = {"name": "Anna Smith-Ærø", "email": "anna@example.org"}


@pytest.fixture(autouse=True)
def _fresh_vault() -> Iterator[None]:
    vault.forget()
    yield
    vault.forget()


@pytest.mark.django_db
class TestSeal:
    def test_opens_with_the_same_key_only(self) -> None:
        anna, ben = vault.new_keys(2)
        sealed = vault.seal(anna.pk, ANNA)

        assert vault.open_(anna.pk, sealed) == ANNA
        with pytest.raises(vault.Tampered):
            vault.open_(ben.pk, sealed)

    def test_opens_in_another_process(self) -> None:
        (key,) = vault.new_keys(1)
        sealed = vault.seal(key.pk, ANNA)
        vault.forget()

        assert vault.open_(key.pk, memoryview(sealed)) == ANNA

    def test_shows_nothing_and_never_the_same_twice(self) -> None:
        (key,) = vault.new_keys(1)
        first, second = vault.seal(key.pk, ANNA), vault.seal(key.pk, ANNA)

        assert first != second
        assert b"anna" not in first.lower()

    def test_notices_a_changed_byte(self) -> None:
        (key,) = vault.new_keys(1)
        sealed = bytearray(vault.seal(key.pk, ANNA))
        sealed[-1] ^= 1

        with pytest.raises(vault.Tampered):
            vault.open_(key.pk, bytes(sealed))

    def test_needs_the_vault_key(self, settings: Any) -> None:
        (key,) = vault.new_keys(1)
        sealed = vault.seal(key.pk, ANNA)
        settings.SWITCHYARD_VAULT_KEY = "another key of a fitting length"
        vault.forget()

        with pytest.raises(vault.Tampered):
            vault.open_(key.pk, sealed)

    def test_keeps_no_data_key_in_the_clear(self) -> None:
        (key,) = vault.new_keys(1)
        stored = SubjectKey.objects.get(pk=key.pk).wrapped

        assert stored is not None
        data_key = vault._open_bytes(vault._vault_key(), key.pk, bytes(stored))
        assert data_key not in bytes(stored)


@pytest.mark.django_db
class TestStatements:
    def test_are_one_for_any_number_of_new_persons(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            keys = vault.new_keys(50)
        with django_assert_num_queries(0):
            for key in keys:
                vault.seal(key.pk, ANNA)

    def test_are_one_for_a_list(self, django_assert_num_queries: Any) -> None:
        keys = [key.pk for key in vault.new_keys(30)]
        sealed = {key: vault.seal(key, ANNA) for key in keys}
        vault.forget()

        with django_assert_num_queries(1):
            vault.preload(keys)
            assert all(vault.open_(key, sealed[key]) == ANNA for key in keys)


@pytest.mark.django_db
class TestDestroyKeys:
    def test_erases_for_good(self) -> None:
        anna, ben = vault.new_keys(2)
        sealed = vault.seal(anna.pk, ANNA)

        assert vault.destroy_keys([anna.pk], at=NOON) == 1
        assert vault.destroy_keys([anna.pk], at=NOON) == 0
        for call in (lambda: vault.open_(anna.pk, sealed), lambda: vault.seal(anna.pk, ANNA)):
            with pytest.raises(vault.Erased):
                call()
        assert vault.open_(ben.pk, vault.seal(ben.pk, ANNA)) == ANNA

    def test_knows_no_key_that_never_was(self) -> None:
        with pytest.raises(vault.Erased):
            vault.seal(ids.uuid7(), ANNA)


class TestDigest:
    def test_finds_what_is_written_differently(self) -> None:
        assert vault.digest("email", " Anna@Example.ORG ") == vault.digest(
            "email", "anna@example.org"
        )
        assert vault.digest("name", "Anna  SMITH") == vault.digest("name", "anna smith")

    def test_keeps_kinds_and_values_apart(self) -> None:
        assert vault.digest("email", "a") != vault.digest("phone", "a")
        assert vault.digest("email", "a") != vault.digest("email", "b")
        assert len(vault.digest("email", "a")) == 64

    def test_of_nothing_is_nothing(self) -> None:
        assert vault.digest("email", "  ") == ""

    def test_cannot_be_tried_out_without_the_key(self, settings: Any) -> None:
        ours = vault.digest("email", "anna@example.org")
        settings.SWITCHYARD_VAULT_KEY = "another key of a fitting length"
        vault.forget()

        assert vault.digest("email", "anna@example.org") != ours
