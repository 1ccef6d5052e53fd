"""What is kept back, and for whom."""

from django.db.models import TextChoices


class RuleState(TextChoices):
    """draft ⇄ live → ended."""

    DRAFT = "draft", "Draft"
    LIVE = "live", "Live"
    ENDED = "ended", "Ended"


class QuotaState(TextChoices):
    """planned → live → ended."""

    PLANNED = "planned", "Planned"
    LIVE = "live", "Live"
    ENDED = "ended", "Ended"


class QuotaKind(TextChoices):
    """So many units in all; a share of what may be sold; or the last units that there are."""

    FIXED = "fixed", "Fixed units"
    PERCENT = "percent", "Share of what may be sold"
    PRIORITY = "priority", "The last units"
