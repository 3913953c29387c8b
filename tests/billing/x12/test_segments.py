"""How values look on the wire."""

import sys
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.x12.segments import (
    DATA_CHARACTERS,
    Segment,
    bare_digits,
    date_text,
    decimal_text,
    is_spellable,
    isa_segment,
    time_text,
    x12_text,
)

ISA_VALUES = ("00", "", "00", "", "ZZ", "SENDER", "30", "RECEIVER", "261105", "1030", "00501", "000000101", "0", "T")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Jane Doe", "JANE DOE"),
        ("Zoë Núñez", "ZOE NUNEZ"),
        ("Łukasz Strauß-Øye", "LUKASZ STRAUSS-OYE"),
        ("O\u2019Brien", "O'BRIEN"),
        ("I\u201355 MM 98", "I-55 MM 98"),
        ("Apt #4*B", "APT 4 B"),
        ("12:30~13:00", "12-30-13-00"),
        ("Unit [3]|C", "UNIT (3)/C"),
        ("1\u00bd miles", "1 1/2 MILES"),
        ("a\tb\r\nc\x00d\x1de", "A B C D E"),
        ("  two   spaces ", "TWO SPACES"),
        ("ops@example", "OPS AT EXAMPLE"),
        ("\u018fliyeva", "ELIYEVA"),
        ("\u6f22\u5b57", "HANZI"),
        ("\u0416\u0443\u043a\u043e\u0432", "ZHUKOV"),
        ("Mar\u200bia\u00ad \ufeffGo\u0301mez", "MARIA GOMEZ"),
        ("\u2067abc\u2069", "ABC"),
        ("x\u0302", "X"),
        ("\u02bbOkina `\u00b4", "'OKINA ''"),
        ("\u2022 stable", "- STABLE"),
        ("\uff21\uff0e\u3000\uff22", "A. B"),
        ("\U0001f691", ""),
    ],
)
def test_text_becomes_the_basic_character_set(written: str, sent: str) -> None:
    assert x12_text(written) == sent


LATIN = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(char).startswith("L")
    and unicodedata.name(char, "").startswith(("LATIN", "FULLWIDTH LATIN"))
]


def test_no_latin_letter_vanishes() -> None:
    """A sign of the throat (\u0294) is an apostrophe; every other one is spelled in letters."""
    assert len(LATIN) > 1200
    vanished = [char for char in LATIN if len(x12_text(f"A{char}B")) < 3 or " " in x12_text(f"A{char}B")]
    assert vanished == []
    unspelled = [char for char in LATIN if not any(map(str.isalnum, x12_text(char)))]
    assert len(unspelled) == 22
    assert all(is_spellable(char) for char in LATIN)


@pytest.mark.parametrize("text", ["\U0001f691", "Ann \U0001f600", "\ue000", "\U000f0000", "\u0378", "\u2605"])
def test_what_has_no_spelling_is_known(text: str) -> None:
    assert not is_spellable(text)


@pytest.mark.parametrize(
    "text", ["", " \t\n", "Apt #4*B^~", "\u200b\ufe0f", "x\u0302", "\u00a0\u3000", "50 \u00b0C \u20ac"]
)
def test_what_has_a_spelling_or_shows_nothing_is_known(text: str) -> None:
    assert is_spellable(text)


def test_text_that_can_be_sent_is_not_changed() -> None:
    kept = "".join(sorted(DATA_CHARACTERS - {" "})) + " X"
    assert x12_text(kept) == kept


@given(st.text())
def test_text_is_clean_and_normalisation_is_idempotent(written: str) -> None:
    sent = x12_text(written)
    assert set(sent) <= DATA_CHARACTERS
    assert x12_text(sent) == sent
    assert sent == sent.strip()
    assert "  " not in sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("650.00", "650"),
        ("365.60", "365.6"),
        ("1E+3", "1000"),
        ("1E-2", "0.01"),
        ("100", "100"),
        ("0.9", "0.9"),
        ("-0.00", "0"),
        ("0", "0"),
        ("-12.50", "-12.5"),
        ("12345678.90", "12345678.9"),
    ],
)
def test_numbers_have_no_exponent_and_no_needless_zeros(value: str, sent: str) -> None:
    assert decimal_text(Decimal(value)) == sent


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_must_be_finite(value: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        decimal_text(Decimal(value))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_numbers_keep_their_value(value: Decimal) -> None:
    sent = decimal_text(value)
    assert Decimal(sent) == value
    assert "E" not in sent
    assert not sent.startswith(("00", "-0" if value == 0 else "-00"))


def test_dates_and_times() -> None:
    assert date_text(date(2026, 1, 2)) == "20260102"
    assert date_text(date(948, 1, 2)) == "09480102"
    assert time_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "0304"


def test_punctuation_typed_into_numbers_goes() -> None:
    assert bare_digits("(217) 555-0100") == "2175550100"
    assert bare_digits("62701-1000") == "627011000"


def test_trailing_empties_go_and_middle_ones_stay() -> None:
    segment = Segment.of("SV1", ("HC", "A0427", None, "GM", None), None, "UN", "", None)
    assert segment.render() == "SV1*HC:A0427::GM**UN~"
    assert segment.element(1) == "HC:A0427::GM"
    assert segment.component(1, 4) == "GM"
    assert segment.component(1, 9) == segment.element(9) == ""


def test_a_composite_without_content_is_empty() -> None:
    assert Segment.of("CLM", "ID", (None, ""), "Y").render() == "CLM*ID**Y~"


def test_data_cannot_smuggle_delimiters() -> None:
    assert Segment.of("NM1", "a*b", ("c:d", "e~f^g")).render() == "NM1*A B*C-D:E-F G~"


def test_repetitions() -> None:
    assert Segment("EB", ("1", "", "30^48")).repetitions(3) == ("30", "48")
    assert Segment("EB", ("1",)).repetitions(3) == ()


def test_the_isa_has_106_characters() -> None:
    text = isa_segment(*ISA_VALUES).render()
    assert len(text) == 106
    assert text == (
        "ISA*00*          *00*          *ZZ*SENDER         *30*RECEIVER       *261105*1030*^*00501*000000101*0*T*:~"
    )


def test_an_isa_value_that_does_not_fit_is_refused() -> None:
    values = [*ISA_VALUES]
    values[5] = "SIXTEEN-LETTERS-"
    with pytest.raises(ValueError, match="wider"):
        isa_segment(*values)
