"""What a process that serves loads before it forks: its children share it, and no request waits."""

import gc

from django.urls import get_resolver

from routing.places import locate


def warm_up(*, views: bool) -> None:
    """Load the ZIP table and the views, then keep the collector from copying them into children."""
    locate("10001", "NY", "US")
    if views:
        _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
