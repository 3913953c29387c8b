"""The PHI class of each element. All are protected, except a short list of codes that identify nobody."""

from enum import StrEnum


class PhiClass(StrEnum):
    """PLAIN values may stand in audit diffs, logs and events; PHI values never do."""

    PHI = "phi"
    PLAIN = "plain"


# Facts about the agency, its software and its response. Anything about a patient, a person or a place stays PHI.
_PLAIN = frozenset(
    {
        "dAgency.01",
        "dAgency.02",
        "dAgency.04",
        "eRecord.02",
        "eRecord.03",
        "eRecord.04",
        "eResponse.01",
        "eResponse.05",
        "eResponse.07",
        "eResponse.08",
        "eResponse.09",
        "eResponse.10",
        "eResponse.11",
        "eResponse.12",
        "eResponse.23",
        "eResponse.24",
        "eDispatch.01",
        "eDispatch.02",
        "eCustomConfiguration.03",
        "eCustomConfiguration.04",
        "eCustomConfiguration.05",
        "eCustomConfiguration.07",
        "eCustomConfiguration.08",
    }
)


def phi_class(element_id: str) -> PhiClass:
    """The class of an element. Every element that is not declared plain is PHI, also an unknown one."""
    return PhiClass.PLAIN if element_id in _PLAIN else PhiClass.PHI
