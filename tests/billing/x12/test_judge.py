"""The judge can say no: an accepted file with one fault put in is refused, and for that fault."""

import pytest

from app.billing.x12.writer_837p import render_837p
from tests.billing.x12.example import ENVELOPE, RECEIVER, SUBMISSION, SUBMITTER
from tests.billing.x12.judge import judge_837p


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("*T*:~", "*Q*:~", "ISA15"),
        ("GE*1*101", "GE*1*102", "GE id=102"),
        ("SE*38*", "SE*39*", "SE count"),
        ("IEA*1*000000101", "IEA*1*000000102", "IEA id=000000102"),
        ("005010X222A1~\nBHT", "005010X222A1~\nBHX", "BHX"),
        ("HL*2*1*22*0", "HL*2*9*22*0", "HL parent"),
        ("SBR*P*18*******MB~\n", "", "SBR"),
        ("CR1*LB*154*", "CR1*LB**", "CR1"),
        ("CRC*07*Y*01*", "CRC*07*Y*99*", "CRC03"),
        ("NM1*PW*2~", "NM1*PW*2*SCENE~", "NM103"),
        ("DTP*472*D8*20261101", "DTP*472*D8*20261131", "20261131"),
        ("X*005010X222A1~\nST", "X*005010X222A2~\nST", "Map not found"),
    ],
)
def test_a_single_fault_is_refused(right: str, wrong: str, complaint: str) -> None:
    text = render_837p(ENVELOPE, SUBMITTER, RECEIVER, [SUBMISSION])
    assert text.count(right) >= 1
    assert complaint in " ".join(judge_837p(text.replace(right, wrong, 1)))


def test_text_that_is_no_interchange_is_refused() -> None:
    assert judge_837p("hello") != []
