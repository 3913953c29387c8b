"""Every type of the standard can be explained to a medic."""

import pytest

from app.ems.elements import expectation, load_dictionary
from app.ems.elements.wording import _PATTERNED

TYPES = load_dictionary().types


def test_every_patterned_type_has_its_own_words() -> None:
    assert {name for name, type_ in TYPES.items() if type_.facets.pattern is not None} == set(_PATTERNED)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("YesNoValues", "one of the listed codes"),
        ("SBP", "a whole number from 0 to 500"),
        ("BodyTemperature", "a number from 0 to 50 (at most 3 digits, at most 1 after the point)"),
        ("PersonLastName", "text of 1 to 60 characters"),
        ("ANSICountryCode", "text of exactly 2 characters"),
        ("DateOfBirth", "a date from 1890-01-01 to 2050-01-01, such as 1984-06-30"),
        ("WaveformGraphic", "base64 text"),
        ("ZIP", "a ZIP code (12345 or 12345-6789) or a Canadian postal code"),
        ("DeltaVelocityOrdinalRanking", "a whole number of at least 1"),
        ("CityGnisCode", "a whole number of at least 1"),
    ],
)
def test_words(name: str, words: str) -> None:
    assert expectation(TYPES[name]) == words
