"""Machines of what comes in.

Inbox message:   received → applied | ignored | dead;  dead and ignored → received by replay.
Connection:      listening → live ⇄ paused; live and paused → listening.
Import run:      running → done | stopped;             stopped → running when it is started again.
"""

from django.db import models


class InboxState(models.TextChoices):
    RECEIVED = "received", "Received"
    APPLIED = "applied", "Applied"
    IGNORED = "ignored", "Ignored"
    DEAD = "dead", "Dead"


class ImportState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"


class ConnectionKind(models.TextChoices):
    CHANNEL = "channel", "Channel"
    WAREHOUSE = "warehouse", "Warehouse"
    CARRIER = "carrier", "Carrier"
    PAYMENTS = "payments", "Payments"
    MAIL = "mail", "Mail"
    SUPPLIER = "supplier", "Supplier"


class ConnectionState(models.TextChoices):
    LISTENING = "listening", "Listening"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
