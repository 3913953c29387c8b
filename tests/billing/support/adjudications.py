"""A payer that decides at random, and the 835 files that say what it decided. Written without the service's reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import strategies as st

CENT = Decimal("0.01")
NPI, TAX_ID = "1467890129", "371234567"


@dataclass(frozen=True)
class DecidedLine:
    """What the payer decided about one line. `decided_code` differs from `code` when the payer changed it."""

    number: int
    code: str
    modifiers: tuple[str, ...]
    charge: Decimal
    paid: Decimal
    adjustments: tuple[tuple[str, str, Decimal], ...]
    decided_code: str | None = None
    drops_modifiers: bool = False


@dataclass(frozen=True)
class Decided:
    """One claim as the payer decided it."""

    claim_number: str
    lines: tuple[DecidedLine, ...]
    status: str = "1"
    interest: Decimal | None = None

    @property
    def charge(self) -> Decimal:
        return sum((line.charge for line in self.lines), Decimal("0.00"))

    @property
    def paid(self) -> Decimal:
        return sum((line.paid for line in self.lines), Decimal("0.00"))

    def adjusted(self, *groups: str) -> Decimal:
        found = (
            amount for line in self.lines for group, _, amount in line.adjustments if not groups or group in groups
        )
        return sum(found, Decimal("0.00"))

    def reversed(self) -> Decided:
        """The same decision taken back."""
        lines = tuple(
            DecidedLine(
                line.number,
                line.code,
                line.modifiers,
                -line.charge,
                -line.paid,
                tuple((group, reason, -amount) for group, reason, amount in line.adjustments),
                line.decided_code,
                line.drops_modifiers,
            )
            for line in self.lines
        )
        return Decided(self.claim_number, lines, status="22")


@dataclass(frozen=True)
class Payment:
    """One transaction set: what is paid together. `taken_back` are PLB pairs (reason, reference, amount)."""

    claims: tuple[Decided, ...]
    trace: str = "EFT0001"
    taken_back: tuple[tuple[str, str, Decimal], ...] = ()
    npi: str = NPI
    tax_id: str = TAX_ID
    payer_identifier: str = "1351840597"
    paid_on: dt.date = dt.date(2026, 11, 9)

    @property
    def amount(self) -> Decimal:
        paid = sum((claim.paid for claim in self.claims), Decimal("0.00"))
        return paid - sum((amount for _, _, amount in self.taken_back), Decimal("0.00"))


def money(value: Decimal) -> str:
    """Without trailing zeros, as payers write it."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


@dataclass
class _Writer:
    segments: list[str] = field(default_factory=list)

    def add(self, *elements: str) -> None:
        parts = list(elements)
        while parts and not parts[-1]:
            parts.pop()
        self.segments.append("*".join(parts))


def _transaction_set(payment: Payment, number: int) -> list[str]:
    out, day = _Writer(), payment.paid_on.strftime("%Y%m%d")
    control = f"{number:04}"
    out.add("ST", "835", control)
    if payment.amount == 0:
        out.add("BPR", "H", "0", "C", "NON", *[""] * 11, day)
    else:
        payer, payee = ("01", "071000013", "DA", "123456"), ("01", "081000210", "DA", "9876543")
        out.add("BPR", "I", money(payment.amount), "C", "ACH", "CCP", *payer, payment.payer_identifier, "", *payee, day)
    out.add("TRN", "1", payment.trace, payment.payer_identifier)
    out.add("DTM", "405", day)
    out.add("N1", "PR", "MEDICARE PART B IL")
    out.add("N3", "PO BOX 1000")
    out.add("N4", "MARION", "IL", "629590001")
    out.add("PER", "BL", "EDI HELP DESK", "TE", "8005550100")
    out.add("N1", "PE", "PRAIRIE EMS", "XX", payment.npi)
    out.add("REF", "TJ", payment.tax_id)
    out.add("LX", "1")
    for claim in payment.claims:
        _claim(out, claim)
    pairs = [
        (f"{reason}:{reference}" if reference else reason, money(amount))
        for reason, reference, amount in payment.taken_back
    ]
    if pairs:
        out.add("PLB", payment.npi, f"{payment.paid_on.year}1231", *(text for pair in pairs for text in pair))
    out.add("SE", str(len(out.segments) + 1), control)
    return out.segments


def _claim(out: _Writer, claim: Decided) -> None:
    responsibility = money(claim.adjusted("PR"))
    figures = (money(claim.charge), money(claim.paid), responsibility)
    out.add("CLP", claim.claim_number, claim.status, *figures, "MB", f"ICN{claim.claim_number[-9:]}", "41", "1")
    out.add("NM1", "QC", "1", "MUSTER", "ZOE", "", "", "", "MI", "1EG4TE5MK73")
    out.add("MOA", "", "", "MA01")
    if claim.interest is not None:
        out.add("AMT", "I", money(claim.interest))
    for line in claim.lines:
        modifiers = () if line.drops_modifiers else line.modifiers
        decided = ":".join(("HC", line.decided_code or line.code, *modifiers))
        submitted = "" if line.decided_code is None else ":".join(("HC", line.code, *line.modifiers))
        out.add("SVC", decided, money(line.charge), money(line.paid), "", "1", submitted)
        out.add("DTM", "472", "20261101")
        for group in dict.fromkeys(group for group, _, _ in line.adjustments):
            triplets = [(reason, amount) for other, reason, amount in line.adjustments if other == group]
            for start in range(0, len(triplets), 3):  # payers split one group over several segments
                flat = [text for reason, amount in triplets[start : start + 3] for text in (reason, money(amount), "")]
                out.add("CAS", group, *flat)
        out.add("REF", "6R", f"{claim.claim_number}-{line.number}")


def remittance_file(*payments: Payment, control_number: int = 101) -> bytes:
    """An 835 file with one transaction set for each payment."""
    number, stamp = f"{control_number:09}", "261110*0830"
    isa = f"ISA*00*{' ' * 10}*00*{' ' * 10}*30*330897513      *ZZ*371234567      *{stamp}*^*00501*{number}*0*P*:"
    segments = [isa, f"GS*HP*330897513*371234567*20261110*0830*{control_number}*X*005010X221A1"]
    for at, payment in enumerate(payments, start=1):
        segments += _transaction_set(payment, at)
    segments += [f"GE*{len(payments)}*{control_number}", f"IEA*1*{number}"]
    return "".join(f"{segment}~\n" for segment in segments).encode()


@st.composite
def decided_lines(draw: st.DrawFn, number: int, code: str, charge: Decimal) -> DecidedLine:
    """A line that balances: charge less adjustments is what was paid."""
    left = int(charge * 100)
    adjustments: list[tuple[str, str, Decimal]] = []
    kind = draw(st.sampled_from(["paid", "denied", "bundled", "deductible"]))
    if kind == "denied":
        adjustments.append(("CO", draw(st.sampled_from(["50", "29", "16"])), charge))
        left = 0
    elif kind == "bundled":
        adjustments.append(("CO", "97", charge))
        left = 0
    else:
        reasons = [("CO", "45"), ("CO", "253"), ("PR", "2"), ("OA", "94"), ("PI", "131")]
        for group, reason in reasons:
            cents = draw(st.integers(0, left))
            if draw(st.booleans()) and cents:
                adjustments.append((group, reason, Decimal(cents).scaleb(-2)))
                left -= cents
        if kind == "deductible" and left:
            adjustments.append(("PR", "1", Decimal(left).scaleb(-2)))
            left = 0
    downcoded = draw(st.booleans()) and code == "A0427"
    return DecidedLine(
        number,
        code,
        ("RH",),
        charge,
        Decimal(left).scaleb(-2),
        tuple(adjustments),
        "A0429" if downcoded else None,
        drops_modifiers=draw(st.booleans()),
    )


@st.composite
def decisions(draw: st.DrawFn, claim_number: str, lines: Sequence[tuple[int, str, Decimal]]) -> Decided:
    """A decision about a claim with these lines (number, code, charge)."""
    decided = tuple(draw(decided_lines(*line)) for line in lines)
    paid = sum((line.paid for line in decided), Decimal("0.00"))
    denied = paid == 0 and any(
        reason in ("50", "29", "16", "97") for line in decided for _, reason, _ in line.adjustments
    )
    return Decided(claim_number, decided, status="4" if denied else "1")


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    """Up to five claims, some of them taken back and decided again, with interest and money held back."""
    claims: list[Decided] = []
    for at in range(draw(st.integers(1, 5))):
        charges = [Decimal(draw(st.integers(100, 200_000))).scaleb(-2) for _ in range(draw(st.integers(1, 3)))]
        lines = [(number, ["A0427", "A0425", "A0422"][number - 1], charge) for number, charge in enumerate(charges, 1)]
        decision = draw(decisions(f"C{at:09}", lines))
        if draw(st.booleans()):
            claims.append(decision.reversed())
        claims.append(decision)
    taken_back: list[tuple[str, str, Decimal]] = []
    for reason in ("L6", "WO", "FB"):
        if draw(st.booleans()):
            sign = -1 if reason == "L6" else 1
            taken_back.append((reason, "ICN1", sign * Decimal(draw(st.integers(1, 5000))).scaleb(-2)))
    payment = Payment(tuple(claims), taken_back=tuple(taken_back))
    if payment.amount < 0:  # what cannot be collected now is carried forward
        taken_back.append(("FB", "", payment.amount))
        payment = Payment(tuple(claims), taken_back=tuple(taken_back))
    return payment
