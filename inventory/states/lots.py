"""Lots, single things and recalls."""

from django.db.models import TextChoices


class LotState(TextChoices):
    """active ⇄ held; either → recalled ⇄, or → expired; only an active lot may be sold."""

    ACTIVE = "active", "Active"
    HELD = "held", "Held"
    RECALLED = "recalled", "Recalled"
    EXPIRED = "expired", "Expired"


class SerialState(TextChoices):
    """in_stock → picked → shipped → returned → in_stock; scrapped from anywhere."""

    IN_STOCK = "in_stock", "In stock"
    PICKED = "picked", "Picked"
    SHIPPED = "shipped", "Shipped"
    RETURNED = "returned", "Came back"
    SCRAPPED = "scrapped", "Scrapped"


class RecallState(TextChoices):
    """stopping → stopped → lifted."""

    STOPPING = "stopping", "Being stopped"
    STOPPED = "stopped", "Stopped"
    LIFTED = "lifted", "Lifted"
