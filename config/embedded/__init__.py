"""PostgreSQL and Valkey from pip wheels, for the demo, development and the tests. Never production.

`ensure()` has them running while this process lives and says where; `addresses()` says where and
starts nothing; `Stack` runs web, worker and ticker on them. See docs/running.md.
"""

from config.embedded.home import EmbeddedError, Home
from config.embedded.sharing import Running, addresses, ensure, keep, release, wipe
from config.embedded.supervisor import AlreadyRunning, Stack

__all__ = [
    "AlreadyRunning",
    "EmbeddedError",
    "Home",
    "Running",
    "Stack",
    "addresses",
    "ensure",
    "keep",
    "release",
    "wipe",
]
