"""The ids under which events and cases name rows of inventory."""

from enum import IntEnum
from uuid import UUID

_VERSION_8 = 0x8 << 76
_VARIANT = 0b10 << 62
_ID_BITS = 62


class SubjectTag(IntEnum):
    """What a subject id of inventory names; part of the id, so that kinds never collide."""

    NODE = 1
    SKU = 2
    POSITION = 3
    COUNT_REQUEST = 4
    INBOUND = 5
    FEED = 8
    LOT = 9
    SERIAL = 10
    DIFFERENCE = 18
    CHANNEL_SKU = 20


def subject_id(tag: SubjectTag, pk: int) -> UUID:
    """The UUID (version 8, RFC 9562) under which events and cases name a bigint row."""
    return UUID(int=tag << 80 | _VERSION_8 | _VARIANT | pk)


def pk_of(subject: UUID) -> int:
    """The bigint that `subject_id` wrapped."""
    return subject.int & ((1 << _ID_BITS) - 1)


def tag_of(subject: UUID) -> SubjectTag:
    """What kind of row the subject id names. Raises ValueError for an id not made here."""
    return SubjectTag(subject.int >> 80)
