"""The rules in their order, each with its source. A rule may use the values before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.billing.derivation import levels, miles, necessity, parties, places
from app.billing.derivation.context import Context
from app.billing.derivation.outcomes import TEXTS, Known, Outcome
from app.billing.derivation.reading import Cited, Reading
from app.core.schemas import EntityRead

_CFR = "42 CFR 414.605"
_MODIFIERS = "Medicare Claims Processing Manual, chapter 15, section 30"


class Rule(NamedTuple):
    """`overridable`: a biller may put another value in the place of the derived one."""

    name: str
    source: str
    apply: Callable[[Reading, Known, Context], Outcome]
    overridable: bool = True


RULES: tuple[Rule, ...] = (
    Rule("emergency", _CFR, levels.emergency),
    Rule("level_of_service", _CFR, levels.level_of_service),
    Rule("hcpcs", _CFR, levels.hcpcs),
    Rule("patient_count", "837P 2400 QTY*PT", places.patient_count),
    Rule("transport_reason", "837P 2300 CR104", necessity.transport_reason),
    Rule("other_modifiers", _MODIFIERS, places.other_modifiers),
    Rule("origin_modifier", _MODIFIERS, places.origin_modifier),
    Rule("destination_modifier", _MODIFIERS, places.destination_modifier),
    Rule("mileage_hcpcs", _MODIFIERS, miles.mileage_hcpcs),
    Rule("loaded_miles", _MODIFIERS, miles.loaded_miles),
    Rule("noncovered_miles", "Medicare Benefit Policy Manual, chapter 10, section 10.3", miles.noncovered_miles),
    Rule("weight_lb", "837P 2300 CR102", necessity.weight_lb),
    Rule("certifications", "837P 2300 CRC*07", necessity.certifications),
    Rule("round_trip_purpose", "837P 2300 CR109", necessity.round_trip_purpose),
    Rule("stretcher_purpose", "837P 2300 CR110", necessity.stretcher_purpose),
    Rule("prior_authorization", "837P 2300 REF*G1", necessity.prior_authorization),
    Rule("diagnoses", "45 CFR 162.1002", necessity.diagnoses),
    Rule("accident", "837P 2300 CLM11, DTP*439", necessity.accident),
    Rule("place_of_service", "837P 2300 CLM05", necessity.place_of_service),
    Rule("signature_on_file", "42 CFR 424.36", necessity.signature_on_file),
    Rule("payer", "837P 2000B SBR", parties.payer, overridable=False),
    Rule("charges", "Medicare Claims Processing Manual, chapter 15, section 20", parties.charges, overridable=False),
)
OVERRIDABLE = tuple(rule.name for rule in RULES if rule.overridable)


@dataclass(frozen=True)
class DerivedValue:
    """A value with its reasons and its evidence. `effective` is the override's value where there is one."""

    name: str
    source: str
    outcome: Outcome
    effective: Any
    citations: tuple[Cited, ...]

    def stored(self) -> dict[str, Any]:
        """As it stands in claim_derivations.values_json."""
        return {
            "name": self.name,
            "value": self.outcome.value,
            "derivable": self.outcome.derivable,
            "reasons": [{"code": code.value, "text": TEXTS[code]} for code in self.outcome.reasons],
            "rule": self.source,
            "citations": [
                {"entity": one.entity, "id": str(one.id), "version": one.version, "field": one.field}
                for one in self.citations
            ],
        }


def derive(chart: Reading, context: Context, overrides: Mapping[str, Any] | None = None) -> list[DerivedValue]:
    """Every value of a claim for this patient. A rule that uses another's value rests on its evidence, too."""
    effective: dict[str, Any] = {}
    found: dict[str, DerivedValue] = {}
    for rule in RULES:
        known = Known(effective)
        outcome = rule.apply(chart, known, context)
        inherited = [cited for name in dict.fromkeys(known.asked) for cited in found[name].citations]
        citations = tuple(dict.fromkeys([*chart.take_citations(), *inherited]))
        overridden = overrides is not None and rule.name in overrides
        effective[rule.name] = overrides[rule.name] if overrides and overridden else outcome.value
        found[rule.name] = DerivedValue(rule.name, rule.source, outcome, effective[rule.name], citations)
    return list(found.values())


def entries_of(chart: Reading) -> list[list[Any]]:
    """[entity, id, version] of each entry of the chart that the rules judge as one of a set."""
    judged: list[tuple[str, EntityRead]] = [("patient", one.patient) for one in chart.charts]
    judged += [("intervention", act) for act in chart.chart.interventions]
    judged += [("crew_member", member) for member in chart.chart.crew]
    return [[name, str(entry.id), entry.version] for name, entry in judged]
