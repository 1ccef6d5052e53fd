"""The machine of a sourcing policy.

    draft → in_review → scheduled → live → retired
      ↑________|            (live straight from draft, in_review or scheduled)

Every edit of a policy is a new version that starts as a draft. Publishing one retires the version
that was live for the same account and channel; a draft that is not wanted is retired unpublished.
"""

from django.db import models


class PolicyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    SCHEDULED = "scheduled", "Scheduled"
    LIVE = "live", "Live"
    RETIRED = "retired", "Retired"
