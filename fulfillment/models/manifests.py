"""Manifests: what a node handed to one carrier at once, for both to sign."""

from django.db import models
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from fulfillment.models.parcels import Parcel


class Manifest(models.Model):
    """The list of parcels that a node handed to a carrier, closed. Its parcels never change.

    `day` is the node's own date; a second pickup of a day is a second manifest. What the carrier
    answered when it was told of the list comes later: its own number, and what its driver scans.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'M-' || nextval('fulfillment_manifest_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", models.PROTECT, related_name="+")
    carrier_code = models.CharField(max_length=32)
    day = models.DateField()
    closed_at = models.DateTimeField()
    announced_at = models.DateTimeField(null=True, help_text="When the carrier knew of it.")
    carrier_reference = models.CharField(max_length=64, default="")
    carrier_document = models.BinaryField(default=b"", help_text="PDF; shows no buyer.")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["node", "-id"], name="manifest_of_node")]

    def __str__(self) -> str:
        return self.number


class ManifestLine(models.Model):
    """A parcel on a manifest. One that never went is struck out, not removed."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="lines")
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="manifest_lines")
    taken_back_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["manifest", "parcel"], name="manifest_line_once"),
        ]
