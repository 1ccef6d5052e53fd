"""Import and export in the console: a file is looked at before it is applied."""

import io
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from inventory import exchange
from inventory.selectors import search_skus
from tests.console.conftest import House
from tests.factories.kernel import NOON


def body(response: object) -> str:
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def upload(client: Client, kind: str, text: str, house: House) -> str:
    """Send a file, have its check done, and return the address of its page."""
    response = client.post(
        reverse("console:exchange"),
        {
            "kind": kind,
            "account": str(house.network.account.pk),
            "file": SimpleUploadedFile("goods.csv", text.encode()),
        },
    )
    assert response.status_code == 302, response.content.decode()
    address = response.headers["Location"]
    work(address)
    return address


def work(address: str) -> None:
    run = exchange.one_import(UUID(address.rstrip("/").rpartition("/")[2]), ALL_ACCOUNTS)
    jobs.run_job(run.job_id, at=NOON)


def test_a_file_is_checked_looked_at_and_applied(house: House) -> None:
    client = house.client("ops_manager")
    address = upload(
        client, "skus", "code,name,price_minor\nMUG,Big mug,4200\nNEW,New,1\nBAD,Bad,x\n", house
    )

    checked = client.get(address).content.decode()
    assert "Checked, not applied" in checked
    assert "Apply 2 rows" in checked
    assert "price_minor" in checked
    only = client.get(f"{address}?outcome=refused").content.decode()
    assert ("BAD" in only, '<th scope="row">NEW' in only) == (True, False)
    assert not search_skus(ALL_ACCOUNTS, "NEW")

    client.post(f"{address}apply/")
    work(address)

    assert "Apply" not in client.get(address).content.decode().split("page-head")[1][:600]
    assert search_skus(ALL_ACCOUNTS, "NEW")[0].price_minor == 1
    told = body(client.get(f"{address}results.csv"))
    assert "3,refused,price_minor,invalid" in told


def test_what_is_exported_begins_with_a_mark_and_comes_back_the_same(house: House) -> None:
    client = house.client("ops_manager")
    text = body(client.get(reverse("console:exchange_export", args=["skus"])))
    assert text.startswith("\ufeffcode,name,")

    page = client.get(upload(client, "skus", text, house)).content.decode()

    assert "There is nothing to apply." in page


def test_a_file_that_is_none_is_refused_on_the_form(house: House) -> None:
    response = house.client("ops_manager").post(
        reverse("console:exchange"),
        {
            "kind": "skus",
            "account": str(house.network.account.pk),
            "file": io.BytesIO(b"what,ever\n1,2\n"),
        },
    )

    assert response.status_code == 422
    assert "There is no column &#x27;what&#x27;" in response.content.decode()


def test_who_may_only_look_takes_files_out_and_brings_none_in(house: House) -> None:
    client = house.client("auditor")

    page = client.get(reverse("console:exchange")).content.decode()

    assert ("Bring a file in" in page, "Export" in page) == (False, True)
    sent = client.post(reverse("console:exchange"), {"kind": "skus"})
    assert sent.status_code == 403
