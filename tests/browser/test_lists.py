"""Lists under the keyboard and the thumb: peek, act, undo, keep the view."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Person
from tests.browser.test_console import staff
from tests.console.conftest import House

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

People = Callable[..., Person]


class TestThePanel:
    def test_follows_the_rows_and_gives_the_focus_back(self, house: House, people: People) -> None:
        older, newer = house.order(), house.held()
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read("/console/orders/")
        page.keyboard.press("j")
        title = page.locator("#peek h2")
        person.press("Space", title)
        expect(title).to_contain_text(newer["number"])
        expect(page.get_by_role("link", name=newer["number"]).first).to_be_focused()
        assert person.findings() == []
        page.keyboard.press("j")
        expect(title).to_contain_text(older["number"])
        page.keyboard.press("Tab")
        expect(title.get_by_role("link")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#peek")).to_be_hidden()
        expect(page.locator("tr.cursor a[data-open]")).to_be_focused()
        expect(page.locator("tr.cursor")).to_contain_text(older["number"])

    def test_is_a_sheet_of_its_own_on_a_phone(self, house: House, people: People) -> None:
        order = house.held()
        person = people(width=360, height=740)
        page = person.page
        person.sign_in(staff(house, "cs_agent"))
        person.read("/console/orders/")
        page.get_by_role("button", name=f"Look at {order['number']} in short").click()
        expect(page.get_by_text("On fraud hold since")).to_be_visible()
        assert page.evaluate("document.querySelector('#peek').matches(':modal')")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("button", name="Close the panel").click()
        expect(page.locator("#peek")).to_be_hidden()

    def test_shows_a_case_beside_its_list(self, house: House, people: People) -> None:
        house.case(house.order())
        person = people()
        page = person.page
        person.sign_in(staff(house, "cs_agent"))
        person.read("/console/cases/")
        person.press("p", page.locator("#peek").get_by_role("button", name="Acknowledge"))
        assert person.findings() == []
        page.locator("#peek").get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_role("button", name="Undo")).to_be_visible()


class TestUndo:
    def test_takes_back_a_hold_by_one_key(self, house: House, people: People) -> None:
        order = house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "cs_agent"))
        person.read(f"/console/orders/{order['number']}/")
        person.press("h", page.get_by_label("Why, for whoever looks next"))
        page.get_by_label("Why, for whoever looks next").fill("Call first")
        page.get_by_role("dialog").get_by_role("button", name="Hold").click()
        expect(page.get_by_text("put on hold.")).to_be_visible()
        page.get_by_role("button", name="Undo").hover()  # the toast stays under the pointer
        assert person.findings() == []
        page.emulate_media(color_scheme="dark")
        assert person.findings(only="color-contrast") == []
        person.press("z", page.get_by_text("Undone: the hold is released."))
        assert house.fact(order["id"])["holds"] == []


class TestAView:
    def test_is_kept_from_the_list_and_found_again(self, house: House, people: People) -> None:
        held, free = house.held(), house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read("/console/orders/?need=held")
        person.press("v", page.get_by_label("Keep this list as"))
        page.get_by_label("Keep this list as").fill("For the morning")
        assert person.findings() == []
        page.get_by_role("button", name="Save view").last.click()
        page.wait_for_url(re.compile("view="))
        person.read("/console/orders/")
        page.get_by_role("link", name="For the morning").click()
        page.wait_for_url(re.compile("view="))
        expect(page.get_by_role("link", name=held["number"])).to_be_visible()
        expect(page.get_by_role("link", name=free["number"])).to_have_count(0)

    def test_shows_the_columns_that_were_chosen(self, house: House, people: People) -> None:
        house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read("/console/orders/")
        person.press("c", page.get_by_label("Promised for"))
        page.get_by_label("Promised for").check()
        assert person.findings() == []
        page.get_by_role("button", name="Show these").click()
        expect(page.get_by_role("columnheader", name="Promised for")).to_be_visible()
