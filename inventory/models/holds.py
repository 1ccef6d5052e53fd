"""What carts hold: one open hold per channel and cart, until a time."""

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet


class CartHold(models.Model):
    """Units held for one cart of a channel; its reservations name it as their thread.

    Open until `closed_at`: taken over by an order, given back by the shop, or expired. `taken_by`
    is the thread of the order. Its row is its own history.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    cart = models.CharField(max_length=64)
    minutes = models.PositiveSmallIntegerField(help_text="How long it holds, and is extended by.")
    expires_at = models.DateTimeField()
    extended = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=16, default="", blank=True)
    taken_by = models.UUIDField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "cart"],
                condition=Q(closed_at=None),
                name="cart_hold_open_once",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("at"), minutes__gt=0), name="cart_hold_lasts"
            ),
            models.CheckConstraint(
                condition=Q(taken_by=None) | Q(closed_at__isnull=False), name="cart_hold_taken_once"
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="cart_hold_due", condition=Q(closed_at=None)),
            models.Index(fields=["channel", "cart", "-at"], name="cart_hold_of_cart"),
        ]

    def __str__(self) -> str:
        return self.cart
