"""One typed reader of environment variables and of secrets kept in files.

`NAME_FILE` is read when `NAME` is unset, so that a secret may be mounted and never stand in the
environment. Values are text; a cast turns them into what the setting means.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar, overload
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
_MISSING: Final = object()
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


class SettingError(ImproperlyConfigured):
    """A setting is missing or does not say what it must. The message names the variable."""


@overload
def env(name: str) -> str: ...
@overload
def env(name: str, *, default: T) -> str | T: ...
@overload
def env(name: str, cast: Callable[[str], T]) -> T: ...
@overload
def env(name: str, cast: Callable[[str], T], *, default: T) -> T: ...
def env(name: str, cast: Callable[[str], object] = str, *, default: object = _MISSING) -> object:
    """Read `name`, or the file that `name`_FILE points to. Without a default it must be there."""
    raw = os.environ.get(name)
    if raw is None and (path := os.environ.get(f"{name}_FILE")):
        try:
            raw = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE cannot be read: {error}") from error
    if raw is None:
        if default is _MISSING:
            raise SettingError(f"{name} is not set (nor {name}_FILE).")
        return default
    try:
        return cast(raw)
    except ValueError as error:
        raise SettingError(f"{name} is not valid: {error}") from error


def boolean(text: str) -> bool:
    """Read yes or no as people write it; anything else is refused rather than taken as no."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither yes nor no")


def words(text: str) -> list[str]:
    """Read a list separated by commas or spaces."""
    return text.replace(",", " ").split()


def pairs(text: str) -> dict[str, str]:
    """Read `name=value` pairs separated by commas or spaces."""
    found = {}
    for word in words(text):
        name, told, value = word.partition("=")
        if not (name and told and value):
            raise ValueError(f"{word!r} is no name=value")
        found[name] = value
    return found


def kept(path: Path, make: Callable[[], str]) -> str:
    """Read a local secret, made once and kept with mode 0600. Racing processes get the same one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its value is the one that counts
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()


def database(url: str) -> dict[str, object]:
    """Turn `postgresql://user:password@host:port/name?option=value` into Django's settings.

    A socket directory is given as `?host=/directory`. Other options go to libpq as they are.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SettingError(f"a database URL begins with postgresql://, not {parts.scheme}://")
    options: dict[str, object] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def broker(url: str) -> str:
    """The Redis URL as Celery spells it: a socket is `redis+socket://`, its database virtual."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?{urlencode({'virtual_host': number})}"


def next_redis_database(url: str) -> str:
    """The same server, one database further: clearing the cache must not empty the queues."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = dict(parse_qsl(parts.query))
        query["db"] = str(int(query.get("db", "0")) + 1)
        return f"unix://{parts.path}?{urlencode(query)}"  # urlunsplit would drop the empty host
    number = int(parts.path.removeprefix("/") or "0")
    return urlunsplit(parts._replace(path=f"/{number + 1}"))
