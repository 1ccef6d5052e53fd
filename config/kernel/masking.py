"""Personal data shown in part: enough to compare and to route, too little to use."""

_MOST: int = 6


def masked(text: str) -> str:
    """A name or number with all but its first letters hidden: `J••• D••`."""
    return " ".join(word[:1] + "•" * min(len(word) - 1, _MOST) for word in text.split())


def masked_email(text: str) -> str:
    """`j•••@e••.com`."""
    user, at, host = text.partition("@")
    name, dot, ending = host.rpartition(".")
    return f"{user[:1]}•••{at}{name[:1]}••{dot}{ending}" if at else masked(text)


def masked_phone(text: str) -> str:
    """`••• 07`."""
    return f"••• {text[-2:]}" if text else ""
