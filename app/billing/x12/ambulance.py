"""Ambulance terms of a professional claim: base and mileage codes, origin/destination modifiers, billable miles."""

from decimal import ROUND_CEILING, Decimal

GROUND_BASE_CODES = frozenset({"A0225", "A0426", "A0427", "A0428", "A0429", "A0432", "A0433", "A0434"})
FIXED_WING_BASE_CODES = frozenset({"A0430"})
ROTARY_WING_BASE_CODES = frozenset({"A0431"})
AIR_BASE_CODES = FIXED_WING_BASE_CODES | ROTARY_WING_BASE_CODES
BASE_RATE_CODES = GROUND_BASE_CODES | AIR_BASE_CODES

# treatment without transport, and the unlisted service: each is the claim's base only if no base rate is billed
OTHER_BASE_CODES = frozenset({"A0998", "A0999"})

# mileage code -> base codes that it may accompany
MILEAGE_BASES = {
    "A0425": GROUND_BASE_CODES,
    "A0435": FIXED_WING_BASE_CODES,
    "A0436": ROTARY_WING_BASE_CODES,
    "A0888": BASE_RATE_CODES,
}
# a paramedic who joins another's ambulance, and treatment without transport: this ambulance carries nobody
UNLOADED_CODES = frozenset({"A0432", "A0998"})
AIR_CODES = AIR_BASE_CODES | {"A0435", "A0436"}

# CMS Claims Processing Manual, chapter 15: modifier position 1 is the origin's letter and the destination's
ORIGIN_LETTERS = frozenset("DEGHIJNPRS")
DESTINATION_LETTERS = frozenset("DEGHIJNPRX")

# pronounced dead after the call, before loading: there is no destination
PRONOUNCED_DEAD_MODIFIER = "QL"


def is_origin_destination(modifier: str) -> bool:
    """True if a modifier names a legal origin and destination. X is never an origin, and S is never a destination."""
    return len(modifier) == 2 and modifier[0] in ORIGIN_LETTERS and modifier[1] in DESTINATION_LETTERS


def billable_miles(loaded_miles: Decimal) -> Decimal:
    """Loaded miles as billed. Below 100 miles they round up to a tenth, from 100 on to a whole mile.

    Units of A0425 and CR106 (Medicare's fractional mileage rule). Raises ValueError for a negative distance.
    """
    if not loaded_miles.is_finite() or loaded_miles < 0:
        raise ValueError("Loaded miles cannot be negative.")
    tenths = loaded_miles.quantize(Decimal("0.1"), ROUND_CEILING)
    return tenths if tenths < 100 else loaded_miles.quantize(Decimal(1), ROUND_CEILING)
