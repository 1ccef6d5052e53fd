"""`manage.py apply_snapshot`: exit codes, what it says, and what a dry run leaves."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command

from config.kernel import clock
from inventory import services
from inventory.types import FeedTerms
from tests.factories.inventory import ANNA, reread, stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def apply(tmp_path, capsys):
    """Runs the command on a file of these lines; the exit code and what it said."""

    def run(position, *lines, **options):
        file = tmp_path / "shelf.csv"
        file.write_text("\n".join(["sku,quantity", *lines]) + "\n")
        arguments = [
            str(file), "--node", position.node.code, "--account", position.account.code,
            "--source", "wms", "--as-of", options.pop("as_of", clock.now().isoformat()),
        ]  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            call_command("apply_snapshot", *arguments, **options)
        return ended.value.code, capsys.readouterr().out

    return run


def test_applies_a_file_and_says_what_it_came_to(apply):
    position = stock(10)

    code, said = apply(position, f"{position.sku.code},7", "END,1,7")

    assert (code, reread(position.pk).sellable) == (0, 7)
    assert "1 lines compared: 0 agree, 1 were healed" in said


def test_keeps_nothing_of_a_dry_run_and_tells_what_awaits_a_person(apply):
    position = stock(10)
    terms = FeedTerms(position.node_id, "wms", position.account_id, heal_units=1)
    services.declare_feeds([terms], at=clock.now() - timedelta(days=1), actor=ANNA)

    code, said = apply(position, f"{position.sku.code},2", dry_run=True, json=True)

    assert (code, json.loads(said)["opened"]) == (3, 1)
    assert reread(position.pk).sellable == 10


def test_refuses_a_file_by_row_and_arguments_that_it_does_not_understand(apply):
    position = stock(10)

    refused = apply(position, "NOBODY,1", f"{position.sku.code},-1")
    misread = apply(position, f"{position.sku.code},1", as_of="yesterday")

    assert refused[0] == 1
    assert "row 1, sku: The account keeps no stock of 'NOBODY'" in refused[1]
    assert "row 2, quantity: -1 units" in refused[1]
    assert misread[0] == 2
    assert reread(position.pk).sellable == 10
