"""The exceptions of feeds: what they are, and how to tell whether they still stand."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from config.kernel.case_reports import CaseKind
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Difference, Feed
from inventory.services.naming import FEED_DOUBTFUL, STOCK_UNRECONCILED
from inventory.services.silence import FEED_GAP, FEED_SILENT
from inventory.states import DifferenceState, FeedState
from inventory.types import SubjectTag, pk_of, subject_id


def still_unreconciled(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Positions with a line at which feed and book differ, and that nobody has decided."""
    found = Difference.objects.for_scope(ALL_ACCOUNTS).filter(
        position_id__in=list(map(pk_of, subject_ids)), state=DifferenceState.OPEN
    )
    pks = found.values_list("position_id", flat=True).distinct()
    return {subject_id(SubjectTag.POSITION, pk) for pk in pks}


def still_silent(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Feeds that are silent still."""
    found = Feed.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(map(pk_of, subject_ids)), state=FeedState.SILENT
    )
    return {subject_id(SubjectTag.FEED, pk) for pk in found.values_list("pk", flat=True)}


def still_lacking(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Feeds of which changes are missing still."""
    found = Feed.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(map(pk_of, subject_ids)), gap_since__isnull=False
    )
    return {subject_id(SubjectTag.FEED, pk) for pk in found.values_list("pk", flat=True)}


KINDS: Final = (
    CaseKind(
        code=FEED_SILENT,
        label="A node's feed is silent",
        severity=2,
        due=timedelta(hours=1),
        owner_team="integrations",
        playbook="Call the node or its system. Until it speaks, its stock is sold as the feed says.",
        still_true=still_silent,
    ),
    CaseKind(
        code=FEED_GAP,
        label="Changes of a feed are missing",
        severity=3,
        due=timedelta(hours=4),
        owner_team="integrations",
        playbook="A snapshot has been asked for; have the missing changes sent if it does not come.",
        still_true=still_lacking,
    ),
    CaseKind(
        code=FEED_DOUBTFUL,
        label="A feed differs in too much",
        severity=2,
        due=timedelta(hours=4),
        owner_team="inventory",
        playbook="Find out what the list counts differently before any line of it is accepted.",
    ),
    CaseKind(
        code=STOCK_UNRECONCILED,
        label="Feed and book differ",
        severity=3,
        due=timedelta(hours=24),
        owner_team="inventory",
        playbook="Accept the node's figure, keep ours and have it counted, or name the movement.",
        still_true=still_unreconciled,
    ),
)
