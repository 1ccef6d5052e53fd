"""The fake payment provider of the demo, spoken to over HTTP like any other."""

CODE = "fakepay"
DEFAULT_PORT = 8099
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
