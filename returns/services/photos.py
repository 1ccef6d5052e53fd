"""Photos taken at an inspection: verified by what they are, kept in the installation's storage."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction

from config.kernel import ids
from config.kernel.errors import Invalid
from config.kernel.types import Actor, Outcome
from returns.models import ReturnLine, ReturnPhoto
from returns.states import PhotoKind
from returns.types import TakenPhoto

MOST_PHOTOS: Final = 6
"""Of one line."""
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
_KINDS: Final = {"JPEG": PhotoKind.JPEG, "PNG": PhotoKind.PNG, "WEBP": PhotoKind.WEBP}


def kind_of(content: bytes) -> PhotoKind:
    """What the file is, by its content: its name and what the sender calls it count for nothing.

    Raises Invalid for what is too large, no picture, or not whole.
    """
    from PIL import Image

    if len(content) > MOST_BYTES:
        raise Invalid(f"A photo has at most {MOST_BYTES // 1024**2} MB.")
    try:
        with Image.open(BytesIO(content), formats=tuple(_KINDS)) as picture:
            kind, pixels = _KINDS[picture.format or ""], picture.width * picture.height
            if pixels <= MOST_PIXELS:
                picture.verify()
    # Pillow raises whatever its decoders meet: a file that it cannot read is no photo.
    except Exception as error:
        raise Invalid("A photo is a whole JPEG, PNG or WebP file.") from error
    if pixels > MOST_PIXELS:
        raise Invalid(f"A photo has at most {MOST_PIXELS // 1_000_000} megapixels.")
    return kind


@transaction.atomic
def keep_photos(taken: Sequence[TakenPhoto], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Keep photos of return lines. One outcome per photo, in order, with its id.

    Refused: what is no photo, what is too large, and the seventh of a line. The same picture of the
    same line counts once. Files of a command that fails afterwards are taken away again.
    """
    wanted = {one.return_line_id for one in taken}
    lines = {line.pk: line for line in ReturnLine.objects.for_scope(actor.scope).locked(wanted)}
    kept = {
        (line_id, digest): photo_id
        for line_id, digest, photo_id in ReturnPhoto.objects.for_scope(actor.scope)
        .filter(line_id__in=lines)
        .values_list("line_id", "digest", "pk")
    }
    counted = Counter(line_id for line_id, _ in kept)
    rows: list[ReturnPhoto] = []
    outcomes: list[Outcome[UUID]] = []
    for one in taken:
        line = lines.get(one.return_line_id)
        digest = hashlib.sha256(one.content).hexdigest()
        if line is None:
            outcomes.append(Outcome.refused("not-found", "There is no such line of a return."))
        elif (line.pk, digest) in kept:
            outcomes.append(Outcome.repeated(kept[line.pk, digest]))
        elif counted[line.pk] >= MOST_PHOTOS:
            outcomes.append(
                Outcome.refused("too-many", f"A line has at most {MOST_PHOTOS} photos.")
            )
        else:
            try:
                photo = _photo(line, one.content, digest, at=at, actor=actor)
            except Invalid as refusal:
                outcomes.append(Outcome.refused(refusal.code, refusal.detail))
                continue
            rows.append(photo)
            kept[line.pk, digest] = photo.pk
            counted[line.pk] += 1
            outcomes.append(Outcome.done(photo.pk))
    _write(rows)
    return outcomes


def _photo(
    line: ReturnLine, content: bytes, digest: str, *, at: datetime, actor: Actor
) -> ReturnPhoto:
    photo = ReturnPhoto(
        id=ids.uuid7(),
        account_id=line.account_id,
        line=line,
        kind=kind_of(content),
        size_bytes=len(content),
        digest=digest,
        taken_by=actor.name,
        at=at,
    )
    photo.file.save("photo", ContentFile(content), save=False)
    return photo


def _write(rows: Sequence[ReturnPhoto]) -> None:
    """Write the rows; without them their files are nobody's."""
    try:
        ReturnPhoto.objects.bulk_create(rows)
    except BaseException:
        for row in rows:
            row.file.delete(save=False)
        raise
