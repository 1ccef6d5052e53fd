"""Personal data at rest: sealed with a key per person, searched by keyed hash.

Each person's data key lies in `kernel_subjectkey`, wrapped by a key derived from
`settings.SWITCHYARD_VAULT_KEY`. Destroying the data key is erasure: whatever was sealed with it,
in rows and in backups alike, can no longer be read. Unwrapped keys are kept in the process for
`KEY_SECONDS`, which is how long an erasure may take to reach every process. They are kept as bytes:
a cipher is sixty times as large.
"""

import hashlib
import hmac
import json
import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection

from config.kernel import ids
from config.kernel.errors import NotFound
from config.kernel.models import SubjectKey

KEY_SECONDS: Final = 60.0
_KEPT_KEYS: Final = 10_000
_CIPHERS: Final = 64
"""Keys at work: what is sealed or opened together follows one another."""

_NONCE_BYTES: Final = 12
_FORMAT: Final = b"\x01"

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_kept: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()
_kept_lock = Lock()


class Erased(NotFound):
    """The person's key was destroyed, or never existed: what was sealed with it is gone."""

    code, title = "erased", "The personal data was erased"


class Tampered(RuntimeError):
    """Sealed bytes do not belong to this person and vault key."""


def draw_key() -> tuple[UUID, bytes]:
    """Make a data key that can seal at once: its id, and it wrapped.

    The caller stores both in `kernel_subjectkey`, with what is sealed by it.
    """
    key_id, data_key = ids.uuid7(), AESGCM.generate_key(bit_length=256)
    _keep(key_id, data_key)
    return key_id, _seal_bytes(_vault_key(), key_id, data_key)


def new_keys(count: int) -> list[SubjectKey]:
    """Make and store a data key for each of `count` persons, in one statement."""
    drawn = [draw_key() for _ in range(count)]
    if drawn:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kernel_subjectkey (id, wrapped) "
                "SELECT * FROM unnest(%s::uuid[], %s::bytea[])",
                [[key_id for key_id, _ in drawn], [wrapped for _, wrapped in drawn]],
            )
    return [SubjectKey(id=key_id, wrapped=wrapped) for key_id, wrapped in drawn]


def seal(subject_key_id: UUID, plaintext: Mapping[str, Any]) -> bytes:
    """Encrypt a JSON object with the person's key. A key made by this process costs no statement.

    Raises Erased when the key is gone.
    """
    return _seal_bytes(
        _data_key(subject_key_id), subject_key_id, _encoded(dict(plaintext)).encode()
    )


def open_(subject_key_id: UUID, sealed: bytes | memoryview) -> dict[str, Any]:
    """Decrypt what `seal` made. Raises Erased when the key is gone, Tampered when bytes are not its.

    For a list, call `preload` first: it reads all keys in one statement.
    """
    opened: dict[str, Any] = json.loads(
        _open_bytes(_data_key(subject_key_id), subject_key_id, bytes(sealed))
    )
    return opened


def preload(subject_key_ids: Iterable[UUID]) -> None:
    """Read the keys that this process does not have yet, in one statement or none."""
    missing = [key_id for key_id in set(subject_key_ids) if _kept_key(key_id) is None]
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, wrapped FROM kernel_subjectkey WHERE id = ANY(%s) AND wrapped IS NOT NULL",
            [missing],
        )
        for key_id, wrapped in cursor.fetchall():
            _keep(key_id, _open_bytes(_vault_key(), key_id, bytes(wrapped)))


def destroy_keys(subject_key_ids: Sequence[UUID], *, at: datetime) -> int:
    """Erase the persons: destroy their keys for good. Returns how many still had one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_subjectkey SET wrapped = NULL, erased_at = %s "
            "WHERE id = ANY(%s) AND wrapped IS NOT NULL",
            [at, list(subject_key_ids)],
        )
        destroyed = int(cursor.rowcount)
    with _kept_lock:
        for key_id in subject_key_ids:
            _kept.pop(key_id, None)
    _cipher.cache_clear()
    return destroyed


def digest(kind: str, value: str) -> str:
    """The keyed hash by which a value is found again without being stored; "" for an empty value.

    The caller gives e-mail addresses as typed, phone numbers in E.164. Case and outer spaces do
    not count. Without the vault key the hash cannot be tried out.
    """
    plain = " ".join(value.split()).casefold()
    if not plain:
        return ""
    keyed = _keyed_hash().copy()
    keyed.update(f"{kind}\0{plain}".encode())
    return keyed.hexdigest()


def forget() -> None:
    """Drop every key this process has unwrapped: between tests, and when memory must be clean."""
    with _kept_lock:
        _kept.clear()
    _cipher.cache_clear()
    _vault_key.cache_clear()
    _keyed_hash.cache_clear()


def _data_key(key_id: UUID) -> AESGCM:
    key = _kept_key(key_id)
    if key is None:
        preload([key_id])
        key = _kept_key(key_id)
    if key is None:
        raise Erased("The personal data of this person was erased.")
    return _cipher(key)


@lru_cache(maxsize=_CIPHERS)
def _cipher(data_key: bytes) -> AESGCM:
    return AESGCM(data_key)


def _kept_key(key_id: UUID) -> bytes | None:
    with _kept_lock:
        kept = _kept.get(key_id)
        if kept is None or time.monotonic() - kept[0] > KEY_SECONDS:
            return None
        return kept[1]


def _keep(key_id: UUID, key: bytes) -> None:
    with _kept_lock:
        _kept[key_id] = (time.monotonic(), key)
        _kept.move_to_end(key_id)
        while len(_kept) > _KEPT_KEYS:
            _kept.popitem(last=False)


def _seal_bytes(cipher: AESGCM, key_id: UUID, plain: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + cipher.encrypt(nonce, plain, key_id.bytes)


def _open_bytes(cipher: AESGCM, key_id: UUID, sealed: bytes) -> bytes:
    start = len(_FORMAT)
    if sealed[:start] != _FORMAT:
        raise Tampered("sealed bytes have an unknown format")
    nonce, secret = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, secret, key_id.bytes)
    except InvalidTag:
        raise Tampered("sealed bytes do not belong to this key") from None


@cache
def _vault_key() -> AESGCM:
    return AESGCM(_derived(b"switchyard wraps data keys"))


@cache
def _keyed_hash() -> hmac.HMAC:
    """What every digest begins as: a copy costs less than keying anew."""
    return hmac.new(_derived(b"switchyard hashes for search"), digestmod=hashlib.sha256)


def _derived(purpose: bytes) -> bytes:
    secret: str = settings.SWITCHYARD_VAULT_KEY
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
