"""Rules between the lines of one ambulance transport: base code, route and miles."""

from collections.abc import Iterator
from decimal import Decimal

from app.billing.x12.ambulance import (
    AIR_CODES,
    BASE_RATE_CODES,
    MILEAGE_BASES,
    NONSPECIFIC_CODES,
    OTHER_BASE_CODES,
    PRONOUNCED_DEAD_MODIFIER,
    billable_miles,
    is_origin_destination,
)
from app.billing.x12.field_rules import Fault
from app.billing.x12.professional_claim import Claim, ServiceLine
from app.billing.x12.record_check import ContentProblem, problem


def transport_problems(claim: Claim, path: str) -> Iterator[ContentProblem]:
    """Problems of base code, origin and destination, place of service and mileage; amounts must be finite."""
    yield from _base_and_route(claim, path)
    yield from _mileage(claim, path)
    for at, line in numbered_lines(claim, path):
        if line.hcpcs in NONSPECIFIC_CODES and not line.description:
            yield problem(f"{at}.description", Fault("MISSING", "is missing: the code says nothing of the service"))


def numbered_lines(claim: Claim, path: str) -> Iterator[tuple[str, ServiceLine]]:
    """Each service line with its path."""
    yield from ((f"{path}.claim.lines[{index}]", line) for index, line in enumerate(claim.lines))


def _base_and_route(claim: Claim, path: str) -> Iterator[ContentProblem]:
    bases = _base_lines(claim)
    legs = 2 if claim.transport.round_trip_purpose else 1
    if len(bases) != legs:
        wanted = "two base codes, one each way" if legs == 2 else "exactly one base code"
        yield problem(f"{path}.claim.lines", Fault("BASE_CODE", f"must hold {wanted}"))
    elif legs == 2 and _route(bases[0]) != _route(bases[1])[::-1]:
        yield problem(f"{path}.claim.lines", Fault("ROUND_TRIP", "must go back where the round trip began"))
    for at, line in numbered_lines(claim, path):
        if line.hcpcs in AIR_CODES and claim.place_of_service != "42":
            yield problem(f"{at}.hcpcs", Fault("AIR_PLACE", "is air transport, so the place of service is 42"))
        if _names_route(line) and not is_origin_destination(_route(line)):
            yield problem(
                f"{at}.modifiers",
                Fault("ORIGIN_DESTINATION", "must begin with a legal origin and destination (not from X, not to S)"),
            )


def _mileage(claim: Claim, path: str) -> Iterator[ContentProblem]:
    miles, at_miles = claim.transport.loaded_miles, f"{path}.claim.transport.loaded_miles"
    bases = _base_lines(claim)
    billed = [(at, line) for at, line in numbered_lines(claim, path) if line.hcpcs in MILEAGE_BASES]
    for at, line in billed:
        own = [base for base in bases if base.hcpcs in MILEAGE_BASES[line.hcpcs]]
        if not own:
            yield problem(f"{at}.hcpcs", Fault("MILEAGE_WITHOUT_BASE", "is mileage without its base code"))
        elif _route(line) not in map(_route, own):
            yield problem(f"{at}.modifiers", Fault("MILEAGE_ROUTE", "must begin as the base code's modifiers do"))
        yield from _miles_format(line.units, f"{at}.units")
    if not billed:
        yield from _miles_format(miles, at_miles)
    elif miles != sum((line.units for _, line in billed), Decimal(0)):
        yield problem(at_miles, Fault("MILES_UNITS", "must equal the units of the mileage lines"))


def _miles_format(miles: Decimal, path: str) -> Iterator[ContentProblem]:
    if miles >= 0 and miles != billable_miles(miles):
        yield problem(path, Fault("MILES_FORMAT", "must be miles in tenths below 100, whole miles from 100 on"))


def _base_lines(claim: Claim) -> list[ServiceLine]:
    rated = [line for line in claim.lines if line.hcpcs in BASE_RATE_CODES]
    return rated or [line for line in claim.lines if line.hcpcs in OTHER_BASE_CODES]


def _names_route(line: ServiceLine) -> bool:
    on_route = line.hcpcs in BASE_RATE_CODES or line.hcpcs in MILEAGE_BASES
    return on_route and PRONOUNCED_DEAD_MODIFIER not in line.modifiers


def _route(line: ServiceLine) -> str:
    return line.modifiers[0] if line.modifiers else ""
