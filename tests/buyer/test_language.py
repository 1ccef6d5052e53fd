"""Every language says everything: the same keys, the same names in braces, a text for every kind."""

import re
import string
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from fulfillment.states import AT_THE_NODE, TRACKED
from integrations.buyer.language import chosen, languages, words
from integrations.buyer.problems import PROBLEMS
from integrations.buyer.voices import Voice, contrast
from integrations.models.buyer import MessageKind

ENGLISH = words("en")


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", languages())
def test_has_the_same_keys_and_names_as_english(code: str) -> None:
    other = words(code)

    assert {name: set(texts) for name, texts in other.texts.items()} == {
        name: set(texts) for name, texts in ENGLISH.texts.items()
    }
    different = [
        f"{section}.{key}"
        for section, texts in ENGLISH.texts.items()
        for key, text in texts.items()
        if names_in(text) != names_in(other.texts[section][key])
    ]
    assert different == []


@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize("kind", MessageKind.values)
def test_has_a_text_for_every_kind_of_message(code: str, kind: str) -> None:
    template = get_template(f"buyer/mail/{code}/{kind}.txt")
    english = Path(settings.BASE_DIR, f"templates/buyer/mail/en/{kind}.txt")
    used = re.compile(r"{{ (\w+) }}|{% if (\w+) %}")

    source = template.template.source

    assert set(used.findall(source)) == set(used.findall(english.read_text(encoding="utf-8")))


def test_has_words_for_every_state_of_a_parcel_and_every_problem() -> None:
    for state in (*AT_THE_NODE, *TRACKED):
        assert ENGLISH.knows(f"status.{state}"), state
    for problem in PROBLEMS:
        assert ENGLISH.knows(f"problem.{problem}"), problem


def test_money_is_written_with_the_languages_own_marks() -> None:
    assert words("en").money(123456, "EUR") == "1,234.56 EUR"
    assert words("de").money(123456, "EUR") == "1.234,56 EUR"
    assert words("es").money(1234, "JPY") == "1.234 JPY"


@pytest.mark.parametrize(
    ("wishes", "country", "code"),
    [
        (["de-AT"], "US", "de"),
        (["fr", "es_MX"], "", "es"),
        ([], "AT", "de"),
        ([], "MX", "es"),
        (["fr"], "FR", "en"),
        ([], "", "en"),
    ],
)
def test_a_language_is_chosen_by_wish_then_country_then_english(
    wishes: list[str], country: str, code: str
) -> None:
    assert chosen(wishes, country) == code


@pytest.mark.parametrize("color", ["#1d4ed8", "#ffdd00", "#777777", "#ffffff", "#000000"])
def test_ink_on_a_brands_color_can_be_read(color: str) -> None:
    voice = Voice("x", "x@example.com", color=color)

    assert contrast(voice.color, voice.on_color) >= 4.4
