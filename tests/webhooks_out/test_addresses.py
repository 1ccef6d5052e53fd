"""Webhooks go to the public internet, to addresses that were judged, and nowhere inside."""

import ipaddress
import socket
from typing import Any

import pytest

from config.kernel.errors import Invalid
from integrations.webhooks_out import addresses
from integrations.webhooks_out.addresses import Unresolved, Unsafe
from integrations.webhooks_out.posting import post

INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104  # an address to refuse
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.fixture(autouse=True)
def _nothing_is_exempt(_here: None, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = []


def resolving_to(*found: str) -> Any:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    return getaddrinfo


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused(address: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_let_pass(address: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "https://93.184.215.14:8443/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https:///nowhere",
        "https://example.com:99999/",
        "https://example.com:22/",
        "https://example.com/a b",
        "not a url",
    ],
)
def test_urls_that_could_never_be_sent_to_are_refused_at_once(url: str) -> None:
    with pytest.raises(Invalid):
        addresses.check_url(url)


@pytest.mark.parametrize("url", ["https://example.com/hooks", "http://93.184.215.14/h?a=1"])
def test_urls_of_the_internet_are_taken(url: str) -> None:
    assert addresses.check_url(url) is None


def test_one_address_inside_refuses_the_whole_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("93.184.215.14", "10.0.0.1"))

    with pytest.raises(Unsafe):
        addresses.resolve("both.example.com", 443)


def test_a_name_without_an_address_is_no_reason_to_give_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(Unresolved):
        addresses.resolve("nobody.example.com", 443)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1"])
def test_other_ways_to_write_this_machine_lead_nowhere(host: str) -> None:
    posted = post(f"http://{host}/", {}, b"{}")

    assert (posted.status, posted.unsafe) == (None, True)


def test_the_connection_goes_to_the_address_that_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that answers another address the second time is asked once only."""
    answers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])
    asked: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        return resolving_to(next(answers))(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    assert addresses.resolve("rebind.example.com", 443) == "93.184.215.14"
    assert asked == ["rebind.example.com"]
