"""Photos of goods that came back: what the inspection saw, kept beside its words."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from returns.models.returned import ReturnLine
from returns.states import PhotoKind


def stored_as(photo: "ReturnPhoto", name: str) -> str:
    """Where the file lies: by our own id, whatever the sender called it."""
    del name
    return f"returns/{photo.line_id}/{photo.pk}.{PhotoKind(photo.kind).label.lower()}"


class ReturnPhoto(models.Model):
    """One photo of the units of a line. The same picture of a line is kept once."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    line = models.ForeignKey(ReturnLine, models.PROTECT, related_name="photos")
    file = models.FileField(upload_to=stored_as, max_length=200)
    kind = models.CharField(max_length=16, choices=PhotoKind)
    size_bytes = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file, in hex.")
    taken_by = models.CharField(max_length=120, default="")
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=PhotoKind.values), name="return_photo_kind_known"
            ),
            models.UniqueConstraint(fields=["line", "digest"], name="return_photo_once"),
        ]

    def __str__(self) -> str:
        return f"Photo {self.pk}"
