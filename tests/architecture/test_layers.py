"""The house rules that a linter knows: the contracts in pyproject.toml hold."""

import subprocess
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
APPS = ("inventory", "orders", "routing", "fulfillment", "returns", "integrations")


def test_the_import_contracts_hold():
    lint_imports = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [lint_imports, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_apps_tables_are_protected():
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    guarded = {
        module
        for contract in settings["tool"]["importlinter"]["contracts"]
        for module in contract.get("protected_modules", [])
    }
    data = {
        f"{app}.{name}"
        for app in APPS
        for name in ("models", "querysets")
        if list((CHECKOUT / app).glob(f"{name}*"))
    }

    assert guarded == data
