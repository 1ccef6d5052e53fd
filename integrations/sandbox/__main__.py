"""`python -m integrations.sandbox PORT`: the payment gateway alone, without Django; 0 takes a free port."""

import sys

from integrations.sandbox import gateway
from integrations.sandbox.fleet import serve

if __name__ == "__main__":
    serve([gateway.build(int(sys.argv[1]) if sys.argv[1:] else 0)])
