"""The machine of a sourcing policy.

    draft → in_review → scheduled → live → retired
      ↑________|____________|        (live from in_review, at once, or from scheduled, at its time)

Every edit of a policy is a new version that starts as a draft. A second person reviews it: sends it
back, publishes or schedules it. Publishing one retires the version that was live for the same account
and channel; a draft that is not wanted is retired unpublished.
"""

from django.db import models


class PolicyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    SCHEDULED = "scheduled", "Scheduled"
    LIVE = "live", "Live"
    RETIRED = "retired", "Retired"


class Variance(models.TextChoices):
    """What a node's giving up units says of the units themselves."""

    NONE = "none", "They are there"
    SHORT = "short", "They are not there"
    DAMAGED = "damaged", "They are there and may not be sold"


class NextStep(models.TextChoices):
    """What becomes of units that a node gave up."""

    SOURCE = "source", "Send from elsewhere"
    BUYER = "buyer", "Ask the buyer"
    HOLD = "hold", "Hold for a person"
    CANCEL = "cancel", "Cancel"
