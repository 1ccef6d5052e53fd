"""A code that nobody knew is mapped where it is noticed, and the orders that wait go on."""

from django.urls import reverse

from config.console.views.listings import first_unmapped
from tests.console.conftest import House, text_of


def address(house: House, order: dict[str, object]) -> str:
    line = first_unmapped(order["id"])  # type: ignore[arg-type]
    return reverse("console:order_map", args=[order["number"], line])


class TestMapping:
    def test_finds_the_sku_by_its_code_or_name(self, house: House) -> None:
        order = house.order(sku="MUG-OLD", accept=False)

        page = house.client("ops_manager").get(address(house, order), {"q": "MU"})

        assert "It is this one : MUG" in text_of(page)
        assert "LAMP" not in text_of(page)

    def test_lets_every_order_of_the_channel_go_on_that_waits_for_the_code(
        self, house: House
    ) -> None:
        order, other = (house.order(sku="MUG-OLD", accept=False) for _ in range(2))

        response = house.client("ops_manager").post(
            address(house, order), {"sku": str(house.network.skus["MUG"])}, follow=True
        )

        assert "MUG-OLD is MUG from now on: 2 orders go on." in text_of(response)
        assert [house.fact(each["id"])["state"] for each in (order, other)] == ["accepted"] * 2

    def test_is_offered_on_the_case_and_on_the_line(self, house: House) -> None:
        order = house.order(sku="MUG-OLD", accept=False)
        number, client = house.folded(order), house.client("ops_manager")

        for page in (
            client.get(reverse("console:case", args=[number])),
            client.get(reverse("console:order", args=[order["number"]])),
        ):
            assert address(house, order) in page.content.decode()

    def test_is_not_offered_to_who_may_not_configure(self, house: House) -> None:
        order = house.order(sku="MUG-OLD", accept=False)

        page = house.client("cs_agent").get(reverse("console:order", args=[order["number"]]))

        assert address(house, order) not in page.content.decode()

    def test_takes_no_sku_of_another_account(self, house: House) -> None:
        order = house.order(sku="MUG-OLD", accept=False)

        page = house.client("ops_manager").post(address(house, order), {"sku": "0"})

        assert page.status_code == 422
        assert "Choose one of the SKUs." in text_of(page)
        assert house.fact(order["id"])["state"] == "captured"
