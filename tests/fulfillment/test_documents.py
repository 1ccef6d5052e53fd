"""Paper: real PDFs, the same bytes for the same values."""

import io
import zipfile

import pytest

from config.kernel import vault
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import documents, selectors
from tests.factories.fulfillment import HOME, packed, released
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def test_a_pick_list_shows_what_is_left_to_pick():
    _, order = released({SkuFactory(name="Mug <large> & handle"): 2})

    page = documents.pick_list([selectors.fulfillment_order(order.pk, ALL_ACCOUNTS)])

    assert page.startswith(b"%PDF")
    assert page == documents.pick_list([selectors.fulfillment_order(order.pk, ALL_ACCOUNTS)])


def test_a_pick_list_is_one_page_per_fulfillment_order():
    orders = [released(1)[1] for _ in range(3)]
    found = [selectors.fulfillment_order(order.pk, ALL_ACCOUNTS) for order in orders]

    assert documents.pick_list(found).count(b"/Type /Page\n") == 3


def test_a_pick_list_of_nothing_is_still_a_page():
    assert documents.pick_list([]).startswith(b"%PDF")


def test_a_packing_slip_names_its_buyer_until_they_are_erased():
    _, _, box = packed(2)
    parcel = selectors.parcel(box.pk, ALL_ACCOUNTS)
    order_id = parcel.fulfillment_order_id
    addresses = selectors.addresses_of([order_id])
    assert addresses[order_id].name == HOME.name

    slip = documents.packing_slip([parcel], addresses)
    contact = parcel.fulfillment_order.group.contact
    vault.destroy_keys([contact.key_id], at=NOON)

    assert slip.startswith(b"%PDF")
    assert selectors.addresses_of([order_id]) == {}
    assert documents.packing_slip([parcel], {}) != slip


def test_labels_are_bundled_by_parcel_number():
    bundle = documents.bundle({"P-1": (b"%PDF one", "application/pdf"), "P-2": (b"^XA", "zpl")})

    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        assert archive.namelist() == ["P-1.pdf", "P-2.bin"]
        assert archive.read("P-1.pdf") == b"%PDF one"
