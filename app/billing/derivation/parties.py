"""Who pays, and what is charged. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from app.billing.derivation.context import Context
from app.billing.derivation.miles import EXCLUDED_MODIFIER, NONCOVERED_MILEAGE
from app.billing.derivation.outcomes import Known, Outcome, ReasonCode, found, unknown
from app.billing.derivation.reading import Reading

R = ReasonCode
_ONE, _CENT = Decimal(1), Decimal("0.01")
_MOST_POINTERS = 4


class Service(NamedTuple):
    """One service of the claim: its code, units and modifiers."""

    hcpcs: str
    units: Decimal
    modifiers: list[str]


def payer(chart: Reading, known: Known, context: Context) -> Outcome:
    """The patient's coverage of the claim's payer sequence.

    The crew's words about the payer are cited: they count until a biller matched the insurer.
    """
    chart.code("ePayment.01")
    chart.code("ePayment.57")
    if context.payer is None:
        return unknown(R.NO_COVERAGE)
    reasons = (R.COVERAGE, *(() if context.payer.matched else (R.PAYER_UNMATCHED,)))
    return found(dict(context.payer.columns), *reasons)


def charges(chart: Reading, known: Known, context: Context) -> Outcome:
    """The price of each service by the fee schedule in force on the day of service."""
    if context.served_on is None:
        return unknown(R.NO_SERVICE_DATE)
    listed = list(services(known))
    if not listed:
        return unknown(R.LEVEL_UNKNOWN)
    priced = [
        {"hcpcs": one.hcpcs, "units": f"{one.units:f}", "unit_price": _price(context.prices, one.hcpcs)}
        for one in listed
    ]
    if any(one["unit_price"] is None for one in priced):
        return Outcome(priced, (R.NO_PRICE,))
    return found(priced, R.FEE_SCHEDULE)


def services(known: Known | Mapping[str, Any]) -> Iterator[Service]:
    """The base code, the miles, and the miles beyond the nearest facility, which Medicare excludes."""
    base = known["hcpcs"]
    if base is None:
        return
    pair = _pair(known)
    modifiers = [*pair, *(known["other_modifiers"] or ())]
    yield Service(base, _ONE, modifiers)
    mileage, miles, beyond = known["mileage_hcpcs"], known["loaded_miles"], known["noncovered_miles"]
    if mileage is not None and miles is not None:
        yield Service(mileage, Decimal(miles), modifiers)
    if beyond is not None:
        yield Service(NONCOVERED_MILEAGE, Decimal(beyond), [*pair, EXCLUDED_MODIFIER])


def lines(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The service lines of a claim in JSON. A service without a price is charged nothing, and cannot be approved."""
    prices = {one["hcpcs"]: one["unit_price"] for one in values["charges"] or ()}
    pointers = list(range(1, min(len(values["diagnoses"] or ()), _MOST_POINTERS) + 1)) or [1]
    return [
        {
            "hcpcs": one.hcpcs,
            "modifiers": one.modifiers,
            "units": f"{one.units:f}",
            "charge": f"{_charged(one, prices.get(one.hcpcs)):f}",
            "diagnosis_pointers": pointers,
        }
        for one in services(values)
    ]


def _pair(known: Known | Mapping[str, Any]) -> list[str]:
    """The first modifier. None while a letter is missing."""
    origin, destination = known["origin_modifier"], known["destination_modifier"]
    return [] if origin is None or destination is None else [f"{origin}{destination}"]


def _price(prices: Mapping[str, Decimal], code: str) -> str | None:
    return None if code not in prices else f"{prices[code]:f}"


def _charged(one: Service, unit_price: str | None) -> Decimal:
    amount = Decimal(0) if unit_price is None else Decimal(unit_price) * one.units
    return amount.quantize(_CENT, ROUND_HALF_UP)
