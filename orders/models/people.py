"""People: the only tables of orders that hold personal data, and hold it sealed."""

from django.db import models

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet


class Contact(models.Model):
    """Name, street, e-mail and phone, sealed with the key of the person; searched by keyed hash.

    What routing and reports need of a place (region, postal code, country) stands in the clear.
    Destroying the key is erasure: the row stays, nobody can read it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    key = models.ForeignKey(
        "kernel.SubjectKey", models.PROTECT, null=True, related_name="+", db_index=False
    )
    sealed = models.BinaryField(null=True)
    email_hash = models.CharField(max_length=64, default="")
    phone_hash = models.CharField(max_length=64, default="")
    name_hash = models.CharField(max_length=64, default="")
    region = models.CharField(max_length=64, default="")
    postal_code = models.CharField(max_length=16, default="")
    country = models.CharField(max_length=2, default="")
    erased_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["email_hash"], name="contact_email", condition=~models.Q(email_hash="")
            ),
            models.Index(
                fields=["phone_hash"], name="contact_phone", condition=~models.Q(phone_hash="")
            ),
        ]

    def __str__(self) -> str:
        return f"Contact in {self.postal_code or self.country}"


class Customer(models.Model):
    """Someone who buys, known within an account by what they use: e-mail, or the channel's id.

    The id is made from `identity` (UUIDv5 within the account), so that two captures at once meet
    on the same row without reading first. `identity` is a keyed hash, never an address.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="+", db_index=False
    )
    identity = models.CharField(max_length=200)
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=128, default="")
    created_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "identity"], name="customer_once")
        ]

    def __str__(self) -> str:
        return f"Customer {self.id}"
