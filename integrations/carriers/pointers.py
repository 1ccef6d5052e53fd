"""Reading and writing other people's JSON by description: pointers (RFC 6901) and templates. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_NAME = re.compile(r"\{([a-z_.0-9]+)\}")


def at(document: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None where there is nothing. The empty one is the document."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def text_at(document: Any, pointer: str) -> str:
    """What a pointer points at, as text; empty without a pointer, and where there is nothing."""
    found = at(document, pointer) if pointer else None
    return "" if found is None or isinstance(found, Mapping | list) else str(found)


def path(template: str, values: Mapping[str, Any]) -> str:
    """A path with `{name}` filled in, each value quoted."""
    return _NAME.sub(lambda m: quote(str(values.get(m.group(1), "")), safe=""), template)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A body with `{name}` filled in. A string that is one name alone becomes the value itself."""
    if isinstance(template, Mapping):
        return {key: filled(each, values) for key, each in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    if not isinstance(template, str):
        return template
    alone = _NAME.fullmatch(template)
    if alone:
        return values.get(alone.group(1), "")
    return _NAME.sub(lambda m: str(values.get(m.group(1), "")), template)
