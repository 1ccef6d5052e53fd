"""Saved views and columns: a list that people come back to, alone or as a team."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.console.models import SavedView
from config.kernel.types import ALL_ACCOUNTS
from tests.console.conftest import House, text_of


def save(house: House, role: str = "ops_manager", **sent: str) -> Any:
    form = {"page": "orders", "name": "Held", "query": "need=held", **sent}
    return house.client(role).post(reverse("console:view_save"), form, follow=True)


def views() -> list[tuple[str, str, bool]]:
    found = SavedView.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    return [(view.name, view.query, view.owner_id is None) for view in found]


def orders_page(client: Client, address: str = "") -> str:
    return client.get(address or reverse("console:orders")).content.decode()


class TestAView:
    def test_keeps_filters_and_columns_and_opens_them_as_a_tab(self, house: House) -> None:
        held, free = house.held(), house.order()
        page = save(house, query="need=held&cols=total&page=3").content.decode()
        assert views() == [("Held", "need=held&cols=total", False)]
        assert held["number"] in page
        assert free["number"] not in page
        assert "Held" in page
        assert 'class="c-total"' in page
        assert 'class="c-placed"' not in page

    def test_is_its_owners_alone(self, house: House) -> None:
        save(house, name="Only mine")
        assert "Only mine" in orders_page(house.client("ops_manager"))
        assert "Only mine" not in orders_page(house.client("cs_agent"))

    def test_of_the_team_is_everybodys(self, house: House) -> None:
        save(house, name="All of us", team="1")
        assert "All of us" in orders_page(house.client("cs_agent"))

    def test_of_the_team_is_kept_from_who_may_not_configure(self, house: House) -> None:
        assert save(house, "cs_agent", team="1").status_code == 403
        save(house, name="All of us", team="1")
        view = SavedView.objects.for_scope(ALL_ACCOUNTS).get()
        change = reverse("console:view_change", args=[view.pk])
        for act in ("delete", "rename", "replace"):
            assert house.client("cs_agent").post(change, {"act": act}).status_code == 403
        assert views() == [("All of us", "need=held", True)]

    def test_of_another_person_or_account_is_not_there(self, house: House) -> None:
        save(house)
        view = SavedView.objects.for_scope(ALL_ACCOUNTS).get()
        change = reverse("console:view_change", args=[view.pk])
        assert house.client("cs_agent").post(change, {"act": "delete"}).status_code == 404
        assert len(views()) == 1

    def test_says_when_it_was_changed_and_takes_the_change(self, house: House) -> None:
        save(house)
        view = SavedView.objects.for_scope(ALL_ACCOUNTS).get()
        client = house.client("ops_manager")
        changed = f"{reverse('console:orders')}?view={view.pk}&need=held&country=US"
        assert "Save changes" in orders_page(client, changed)
        client.post(
            reverse("console:view_change", args=[view.pk]),
            {"act": "replace", "query": "need=held&country=US"},
        )
        assert views() == [("Held", "need=held&country=US", False)]
        assert "Save changes" not in orders_page(client, changed)

    def test_gets_another_name(self, house: House) -> None:
        save(house)
        view = SavedView.objects.for_scope(ALL_ACCOUNTS).get()
        change = reverse("console:view_change", args=[view.pk])
        house.client("ops_manager").post(change, {"act": "rename", "name": "Waiting for us"})
        assert views() == [("Waiting for us", "need=held", False)]

    def test_that_was_deleted_comes_back_by_undo(self, house: House) -> None:
        save(house, team="1")
        view = SavedView.objects.for_scope(ALL_ACCOUNTS).get()
        client = house.client("ops_manager")
        client.post(reverse("console:view_change", args=[view.pk]), {"act": "delete"})
        assert views() == []
        client.post(reverse("console:undo"), {"offer": client.session["undo"]["id"]})
        assert views() == [("Held", "need=held", True)]

    @pytest.mark.parametrize("name", ["", "   ", "x" * 41])
    def test_needs_a_name(self, name: str, house: House) -> None:
        assert save(house, name=name).status_code == 422
        assert views() == []

    def test_name_is_given_once(self, house: House) -> None:
        save(house)
        second = save(house, query="need=late")
        assert second.status_code == 409
        assert "another name" in text_of(second)

    def test_of_cases_keeps_kind_and_owner(self, house: House) -> None:
        page = save(house, page="cases", query="mine=1&kind=STUCK&need=held")
        assert views() == [("Held", "kind=STUCK&mine=1", False)]
        assert "Held" in text_of(page)

    def test_is_counted_after_the_page_in_one_statement(
        self, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        house.held()
        for name in ("One", "Two", "Three"):
            save(house, name=name)
        client = house.client("ops_manager")
        with django_assert_max_num_queries(6):
            page = client.get(reverse("console:view_counts")).content.decode()
        assert page.count(">1</span>") == 3


class TestColumns:
    def chosen(self, client: Client, *codes: str, **sent: str) -> HttpResponse:
        address = reverse("console:orders_columns")
        response: HttpResponse = client.post(address, {"col": list(codes), **sent})
        return response

    def test_are_named_in_the_address_and_remembered(self, house: House) -> None:
        house.order()
        client = house.client("ops_manager")
        answer = self.chosen(client, "total", "tags", query="need=held")
        assert answer.headers["Location"].endswith("?need=held&cols=total%2Ctags")
        page = orders_page(client)
        assert 'class="c-tags"' in page
        assert 'class="c-placed"' not in page

    def test_return_to_the_usual_ones(self, house: House) -> None:
        house.order()
        client = house.client("ops_manager")
        self.chosen(client, "total")
        self.chosen(client, usual="1")
        assert 'class="c-placed"' in orders_page(client)

    def test_that_do_not_exist_are_left_out(self, house: House) -> None:
        house.order()
        page = orders_page(house.client("ops_manager"), f"{reverse('console:orders')}?cols=nope")
        assert 'class="c-placed"' in page

    def test_are_those_of_the_file(self, house: House) -> None:
        house.order()
        client = house.client("ops_manager")
        file = client.get(reverse("console:orders_export"), {"cols": "total,progress"})
        head = b"".join(file.streaming_content).decode().splitlines()[0]  # type: ignore[arg-type]
        assert head == "\ufeffnumber,external_number,state,progress,total,currency"

    def test_stay_when_a_filter_is_taken_away(self, house: House) -> None:
        house.held()
        address = f"{reverse('console:orders')}?need=held&cols=total"
        page = orders_page(house.client("ops_manager"), address)
        assert 'href="?cols=total"' in page
