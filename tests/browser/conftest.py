"""A real browser on a live server: what people see, click and type."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

import axe_playwright_python
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    expect,
    sync_playwright,
)
from playwright.sync_api import TimeoutError as NotShown
from pytest_django.live_server_helper import LiveServer

from config.kernel.models import User
from tests.console.conftest import House, a_house, five_past_noon

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Processor time that no test looks at: a process for each frame, and letters drawn by colours.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    "--disable-features=SitePerProcess,IsolateOrigins",
    "--disable-software-rasterizer",
    "--disable-extensions",
    "--disable-lcd-text",
]
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
SERIOUS = {"serious", "critical"}
PASSWORD = "correct horse battery staple"  # of the factories
TRIES, PATIENCE_MS = 5, 8_000
SLOW_MS = 60_000  # a busy machine is slow, not wrong
expect.set_options(timeout=SLOW_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: install Debian's chromium to run the browser tests")
    # Playwright's synchronous face keeps an event loop in this thread, and Django would refuse
    # the database wherever one runs. Nothing here is asynchronous. It ends with the module.
    # Beside a loop Django keeps other connections: those of here and of before are closed.
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()
        connections.close_all()


@pytest.fixture
def house(db: None) -> Iterator[House]:
    """The retailer of the console's tests, anew for each: a live server commits."""
    with five_past_noon():
        yield a_house()


class Person:
    """Somebody in front of a browser. Whatever the console complains about is kept."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.page: Page = context.new_page()
        self.base = base
        self.complaints: list[str] = []
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, username: str) -> None:
        """Be signed in; no page is opened yet."""
        client = Client()
        client.force_login(User.objects.get(username=username))
        kept = client.cookies[settings.SESSION_COOKIE_NAME]
        cookie = {"name": kept.key, "value": kept.value, "url": self.base}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]  # a typed dict

    def type_password(self, username: str) -> None:
        """Sign in as people do."""
        self.page.goto(f"{self.base}/console/login/")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        self.page.wait_for_load_state("networkidle")

    def findings(self, *, only: str = "", within: str = "html") -> list[str]:
        """What axe calls serious or critical on the page, as it stands now, or in a part of it."""
        if not self.page.evaluate("typeof window.axe === 'object'"):
            self.page.evaluate(AXE.read_text())
        options = {"resultTypes": ["violations"]} | ({"runOnly": [only]} if only else {})
        run = "([within, options]) => axe.run(within, options)"
        found = self.page.evaluate(run, [within, options])
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:160]}"
            for each in found["violations"]
            if each["impact"] in SERIOUS
        ]

    def by_night(self) -> list[str]:
        """What axe finds of colours, by night."""
        self.page.emulate_media(color_scheme="dark")
        found = self.findings(only="color-contrast", within="main")
        self.page.emulate_media(color_scheme="light")
        return found

    def press(self, key: str, shows: Locator) -> None:
        """Press the key until it shows what it shows: one pressed at a closing dialog is lost."""
        for _ in range(TRIES):
            self.page.keyboard.press(key)
            try:
                shows.wait_for(timeout=PATIENCE_MS)
            except NotShown:
                continue
            return
        expect(shows).to_be_visible()

    def go(self, keys: str, address: str) -> None:
        """Press the keys one after another until they lead there: a slow second one is lost."""
        for _ in range(TRIES):
            for key in keys:
                self.page.keyboard.press(key)
            try:
                self.page.wait_for_url(re.compile(address), timeout=PATIENCE_MS)
            except NotShown:
                continue
            break
        expect(self.page).to_have_url(re.compile(address))
        self.page.wait_for_load_state("networkidle")

    def dismiss(self) -> None:
        """Close what is open, and wait until it is."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator("dialog[open]")).to_have_count(0)

    def read(self, path: str) -> None:
        """Open the page and wait until it listens: a key that is pressed before is lost."""
        self.page.goto(f"{self.base}{path}")
        self.page.wait_for_load_state("networkidle")


@pytest.fixture
def people(browser: Browser, live_server: LiveServer) -> Iterator[object]:
    """Open a person: `people(width=360)`; closed, and checked for complaints, at the end."""
    opened: list[tuple[BrowserContext, Person]] = []

    def person(*, width: int = 1366, height: int = 768, axe: bool = False) -> Person:
        """Who looks at many pages has axe along on each of them."""
        # No transitions: colours are what they are at once.
        context = browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
        )
        context.set_default_timeout(SLOW_MS)
        if axe:
            context.add_init_script(path=AXE)
        made = Person(context, live_server.url)
        opened.append((context, made))
        return made

    yield person
    for context, _ in opened:
        context.close()
    assert [complaint for _, each in opened for complaint in each.complaints] == []
