"""Machines of what comes in.

Inbox message:   received → applied | ignored | dead;  dead and ignored → received by replay.
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
