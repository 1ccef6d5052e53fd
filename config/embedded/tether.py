"""Become another program that is told to end when its parent dies.

Run as a script: `tether.py <pid of the parent> <program> <words…>`. A separate program rather than
a `preexec_fn`, which is not safe in a process that has threads. Elsewhere than on Linux it only
becomes the program; the supervisor's locks then find what was left behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:
            sys.exit("the parent is gone")
    os.execvp(argv[0], argv)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
