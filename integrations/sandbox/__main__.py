"""`python -m integrations.sandbox [PORT]`: the fake payment provider alone, without Django."""

import sys

from integrations.payments.fakepay import DEFAULT_PORT
from integrations.sandbox.fakepay import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]) if sys.argv[1:] else DEFAULT_PORT)
