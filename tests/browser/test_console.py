"""People at work in the console: sign in, find, read why, act; by keyboard and on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Person
from tests.console.conftest import House

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

People = Callable[..., Person]


def staff(house: House, role: str) -> str:
    username: str = house.users[role].username
    return username


class TestARole:
    def test_signs_in_and_stands_where_its_work_is(self, house: House, people: People) -> None:
        for role in ("ops_manager", "node_operator"):
            person = people()
            person.type_password(staff(house, role))
            expect(person.page.locator("main h1").first).to_be_visible()
            assert person.findings() == [], role


class TestAnAgent:
    def test_finds_an_order_reads_why_and_acts(self, house: House, people: People) -> None:
        order = house.held()
        person = people()
        page = person.page
        person.sign_in(staff(house, "cs_agent"))
        person.read("/console/")
        person.press("/", page.get_by_role("combobox"))
        page.get_by_role("combobox").fill(order["number"])
        expect(page.get_by_role("option", name=order["number"])).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(order["number"]))
        expect(page.get_by_text("On fraud hold since")).to_be_visible()
        person.press("w", page.get_by_text("Every node that was looked at"))
        page.get_by_label("Why not").select_option(house.node("COLUMBUS").code)
        expect(page.get_by_role("status").filter(has_text="Why not")).to_be_visible()
        person.dismiss()
        page.get_by_role("link", name="Release hold…").first.click()
        page.get_by_label("What was found").fill("Called back: all right")
        page.get_by_role("dialog").get_by_role("button", name="Release hold").click()
        expect(page.get_by_text("hold released.")).to_be_visible()
        assert house.fact(order["id"])["holds"] == []

    def test_is_told_in_place_what_was_wrong(self, house: House, people: People) -> None:
        order = house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "cs_agent"))
        person.read(f"/console/orders/{order['number']}/")
        person.press("h", page.get_by_label("Why, for whoever looks next"))
        page.get_by_label("Why, for whoever looks next").fill("x")
        page.evaluate("document.querySelector('#id_reason').removeAttribute('required')")
        page.get_by_label("Why, for whoever looks next").fill("")
        page.get_by_role("dialog").get_by_role("button", name="Hold").click()
        expect(page.get_by_text("This field is required.")).to_be_visible()
        person.complaints.clear()  # the browser itself reports the 422

    def test_clicks_twice_and_acts_once(self, house: House, people: People) -> None:
        order = house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "cs_agent"))
        person.read(f"/console/orders/{order['number']}/do/note/")
        page.get_by_label("Note").fill("Only once")
        page.get_by_role("button", name="Add a note").dblclick()
        page.wait_for_url(re.compile(rf"{order['number']}/$"))
        expect(page.get_by_text("Only once")).to_have_count(1)


class TestAManager:
    def test_selects_rows_and_changes_them_with_a_preview(
        self, house: House, people: People
    ) -> None:
        orders = [house.held(), house.held()]
        house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read("/console/orders/?need=held")
        page.get_by_label("Select this page").check()
        expect(page.get_by_text("2 selected")).to_be_visible()
        page.get_by_role("button", name="Release hold…").click()
        expect(page.get_by_text("2 orders will change.")).to_be_visible()
        page.get_by_label("What was found").fill("All checked")
        page.get_by_role("button", name="Release hold: 2 orders").click()
        expect(page.get_by_text("2 done", exact=True)).to_be_visible()
        assert [house.fact(each["id"])["holds"] for each in orders] == [[], []]

    def test_gets_around_by_keyboard(self, house: House, people: People) -> None:
        order = house.order()
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read("/console/")
        for keys, address in (
            ("go", "orders"),
            ("gi", "stock"),
            ("gh", "health"),
            ("gt", "console/$"),
        ):
            person.go(keys, address)
        person.press("?", page.get_by_role("dialog", name="Keyboard"))
        person.dismiss()
        person.read("/console/orders/")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(order["number"])

    def test_turns_single_keys_off(self, house: House, people: People) -> None:
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read("/console/")
        page.locator("details.me summary").click()
        page.get_by_role("button", name="Turn single-key shortcuts off").click()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()


class TestAnOperatorOnAHandheld:
    def test_scans_packs_and_hands_over(self, house: House, people: People) -> None:
        order = house.released(sku="LAMP", quantity=2)
        work = house.work_of(order)
        person = people(width=360, height=740)
        page = person.page
        person.sign_in(staff(house, "node_operator"))
        person.read(f"/console/nodes/{work['code']}/")
        box = page.get_by_label("Scan or type")
        expect(box).to_be_focused()
        for said in ("1 more of it", "all of it"):
            page.keyboard.type("LAMP")
            page.keyboard.press("Enter")
            expect(page.locator("#scan-answer")).to_contain_text(said)
            expect(box).to_be_focused()
            expect(box).to_have_value("")
        page.keyboard.type(work["number"])
        page.keyboard.press("Enter")
        expect(page.locator("#scan-answer")).to_contain_text("is packed")
        page.get_by_role("link", name=work["number"]).first.click()
        page.get_by_role("button", name="Hand over").click()
        expect(page.get_by_text("handed over.")).to_be_visible()
        assert house.fact(order["id"])["shipped"] == 2

    def test_never_scrolls_sideways(self, house: House, people: People) -> None:
        work = house.work_of(house.released(sku="LAMP"))
        person = people(width=360, height=740)
        person.sign_in(staff(house, "node_operator"))
        for path in ("", f"{work['code']}/", f"{work['code']}/{work['number']}/"):
            person.read(f"/console/nodes/{path}")
            width = person.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360, path


class TestWhatIsOpen:
    def test_has_nothing_serious_for_axe(self, house: House, people: People) -> None:
        order = house.held()
        person = people()
        page = person.page
        person.sign_in(staff(house, "ops_manager"))
        person.read(f"/console/orders/{order['number']}/")
        person.press("/", page.get_by_role("option", name="Control tower"))
        assert person.findings() == []
        person.dismiss()
        for key, words in (("h", "Kind of hold"), ("w", "Every node that was looked at")):
            person.press(key, page.get_by_text(words))
            assert person.findings() == []
            person.dismiss()
