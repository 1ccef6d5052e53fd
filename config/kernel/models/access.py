"""Who may do what, within which account: users, roles, grants, channels and their keys."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet


class User(AbstractUser):
    """A person of staff. What they may do comes from grants, never from the person."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)


class Account(models.Model):
    """A merchant, or a client of a 3PL: the wall around records, keys and grants."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="USD")
    timezone = models.CharField(max_length=64, default="UTC")
    settings = models.JSONField(default=dict, blank=True)

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """A face of an account: its channels, documents and rules."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="brands")
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=120)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "code"], name="brand_code_once")]

    def __str__(self) -> str:
        return self.name


class ChannelKind(models.TextChoices):
    WEB = "web", "Web shop"
    MARKETPLACE = "marketplace", "Marketplace"
    POS = "pos", "Point of sale"
    B2B = "b2b", "B2B"
    ASSISTED = "assisted", "Assisted"


class Channel(models.Model):
    """A place that sells. `settings` holds its policy numbers, each named with its unit."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="channels")
    brand = models.ForeignKey(Brand, models.PROTECT, related_name="channels")
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=ChannelKind)
    currency = models.CharField(max_length=3)
    timezone = models.CharField(max_length=64, default="UTC")
    tax_inclusive = models.BooleanField(default=False)
    remorse_minutes = models.PositiveIntegerField(
        default=0, help_text="Minutes after acceptance in which nothing is released."
    )
    backorders = models.BooleanField(
        default=True, help_text="Accept what cannot be reserved as a backorder; otherwise hold it."
    )
    active = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="channel_code_once"),
            models.CheckConstraint(
                condition=Q(kind__in=ChannelKind.values), name="channel_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named set of permissions (`config.kernel.access.Permission`)."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80)
    permissions = ArrayField(models.CharField(max_length=48), default=list)
    offered = ArrayField(
        models.CharField(max_length=48),
        null=True,
        editable=False,
        help_text="What the software brought for it when it was last brought up to date.",
    )

    history = HistoricalRecords(excluded_fields=["offered"])

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A user holds a role within an account; `node_id` narrows it to the work of one node."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    role = models.ForeignKey(Role, models.PROTECT, related_name="grants")
    account = models.ForeignKey(Account, models.PROTECT, related_name="grants")
    node_id = models.BigIntegerField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "account", "node_id"],
                name="grant_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class ApiKey(models.Model):
    """A channel's or integrator's credential. Only the SHA-256 of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="api_keys")
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, blank=True, related_name="api_keys"
    )
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=48), default=list)
    requests_per_minute = models.PositiveIntegerField(default=6000)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords(excluded_fields=["digest", "last_used_at"])
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
