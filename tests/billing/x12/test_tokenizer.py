"""Other senders' interchanges: their delimiters, their line breaks, their mistakes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.x12.segments import Delimiters, Segment, isa_segment
from app.billing.x12.tokenizer import InterchangeFormatError, iter_segments, parse_interchange, parse_interchanges
from tests.billing.x12.test_segments import ISA_VALUES

SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3].parent / "shared")

BODY = "GS*FA*A*B*20261105*1030*7*X*005010X231A1~ST*999*0001~AK1*HC*101~AK9*A*1*1*1~SE*4*0001~GE*1*7~IEA*1*000000101~"
ISA = isa_segment(*ISA_VALUES).render()
FILE = ISA + BODY


def other_delimiters(text: str, element: str, repetition: str, component: str, segment: str) -> str:
    return text.translate(str.maketrans("*^:~", element + repetition + component + segment))


def tags(text: str) -> list[str]:
    return [segment.tag for segment in iter_segments(text)]


TAGS = tags(FILE)


def test_the_envelope_becomes_a_tree() -> None:
    interchange = parse_interchange(FILE)
    [group] = interchange.groups
    [transaction_set] = group.transaction_sets
    assert interchange.header.element(13) == "000000101"
    assert group.header.element(1) == "FA"
    assert (transaction_set.identifier, transaction_set.control_number) == ("999", "0001")
    assert [segment.tag for segment in transaction_set.segments] == ["ST", "AK1", "AK9", "SE"]
    assert interchange.deviations == []


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + FILE,
        "\r\n" + FILE.replace("~", "~\r\n"),
        FILE.replace("~", "~\n\n") + "\n \x1a",
        "\n".join(FILE[at : at + 80] for at in range(0, len(FILE), 80)),
        "\r\n".join(FILE[at : at + 120] for at in range(0, len(FILE), 120)),
        other_delimiters(FILE, "|", "!", ">", "\n"),
        other_delimiters(FILE, "|", "^", ">", "\r").replace("\r", "\r\n"),
        other_delimiters(FILE, "\x1d", "^", "\x1f", "\x1c"),
        FILE.removesuffix("~"),
    ],
    ids=["bom", "crlf", "blank lines", "80 columns", "120 columns", "newline ends", "cr ends", "control", "cut end"],
)
def test_line_breaks_and_delimiters_of_other_senders(text: str) -> None:
    assert tags(text) == TAGS
    interchange = parse_interchange(text)
    assert interchange.deviations == []
    assert interchange.groups[0].transaction_sets[0].segments[2].elements == ("A", "1", "1", "1")


def test_an_old_isa11_is_no_repetition_separator() -> None:
    [isa, *_] = iter_segments(FILE.replace("*^*00501*", "*U*00401*"))
    assert isa.delimiters == Delimiters("*", None, ":", "~")
    assert Segment("EB", ("AUTO^X",), isa.delimiters).repetitions(1) == ("AUTO^X",)


def test_each_interchange_has_its_own_delimiters() -> None:
    first, second = parse_interchanges(FILE + "\n" + other_delimiters(FILE, "|", "!", ">", "\n"))
    assert first.header.delimiters.element == "*"
    assert second.header.delimiters == Delimiters("|", "!", ">", "\n")
    with pytest.raises(InterchangeFormatError, match="more than one"):
        parse_interchange(FILE + FILE)


def test_a_ta1_may_come_without_a_group() -> None:
    interchange = parse_interchange(ISA + "TA1*000000101*261105*1030*A*000~IEA*0*000000101~")
    assert [segment.element(4) for segment in interchange.acknowledgements] == ["A"]
    assert interchange.groups == []


@pytest.mark.parametrize(
    ("right", "wrong", "deviation"),
    [
        ("SE*4*", "SE*5*", "SE01 is not the number counted"),
        ("SE*4*0001", "SE*4*0002", "SE02 differs from its header"),
        ("GE*1*7", "GE**7", "GE01 is not the number counted"),
        ("GE*1*7", "GE*1*8", "GE02 differs from its header"),
        ("IEA*1", "IEA*2", "IEA01 is not the number counted"),
        ("IEA*1*000000101", "IEA*1*000000102", "IEA02 differs from its header"),
    ],
)
def test_wrong_trailers_are_noted(right: str, wrong: str, deviation: str) -> None:
    assert parse_interchange(FILE.replace(right, wrong)).deviations == [deviation]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "ISA*00*",
        FILE.replace("IEA*1*000000101~", ""),
        FILE.replace("SE*4*0001~", ""),
        FILE.replace("GS*FA", "XX*FA"),
        FILE.replace("AK1*HC*101~", "GS*FA~"),
        FILE + "SVC*LEFT OVER~",
        ISA[:50] + ISA[51:] + BODY,
        ISA.replace("*:~", "**~") + BODY,
        ISA.replace("*:~", "*A~") + BODY,
    ],
    ids=[
        "empty",
        "text",
        "cut isa",
        "no iea",
        "no se",
        "no gs",
        "gs inside st",
        "left over",
        "narrow isa",
        "same signs",
        "letter",
    ],
)
def test_what_is_no_interchange_is_refused(text: str) -> None:
    with pytest.raises(InterchangeFormatError):
        parse_interchanges(text)


def test_refusals_do_not_quote_the_file() -> None:
    with pytest.raises(InterchangeFormatError) as refused:
        parse_interchanges(FILE + "NM1*IL*1*MUSTER~")
    assert "MUSTER" not in str(refused.value)


@given(st.text(max_size=300) | st.text("ISAGE*~:^01 \n", max_size=300).map(lambda tail: ISA + tail))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        interchanges = parse_interchanges(text)
    except InterchangeFormatError:
        return
    assert interchanges


elements = st.lists(
    st.text(st.characters(exclude_characters="*:^~\r\n", codec="utf-8"), max_size=8)
    | st.sampled_from(["A:B", "A::C", "X^Y"]),
    max_size=6,
).map(tuple)
segments = st.builds(Segment, tag=st.sampled_from(["NM1", "REF", "SVC", "CAS"]), elements=elements)


@given(st.lists(segments, max_size=10), st.sampled_from(["", "\n", "\r\n"]))
def test_reading_is_the_inverse_of_rendering(body: list[Segment], between: str) -> None:
    text = ISA + between + "".join(segment.render() + between for segment in body)
    assert list(iter_segments(text))[1:] == body


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared reference files: {SHARED} is absent (set SHARED_DIR)")
def test_every_sample_of_other_senders_is_read() -> None:
    samples = sorted((SHARED / "x12" / "samples").rglob("*.edi"))
    assert len(samples) > 30
    for sample in samples:
        text = sample.read_text(encoding="utf-8")
        for interchange in parse_interchanges(text):
            assert interchange.groups, sample.name
        read = "".join(segment.render() for segment in iter_segments(text))
        assert read == "".join(text.lstrip("\ufeff").split("\n")).replace("\r", "").rstrip(), sample.name
