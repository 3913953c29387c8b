"""Reads transport accidents: `car vs tree`, `cyclist hit by car`, `driver rollover` (ICD-10-CM, V00-V79).

Their codes follow a scheme, not words: the second character is the patient's vehicle, the third is the other party
of the collision, the fourth is the seat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from app.coding.icd10.intents import PEOPLE, word_set


class Party(Enum):
    """A party of an accident, and the third character of the code if the patient's vehicle collided with it."""

    PEDESTRIAN = ("pedestrian", "0")
    SCOOTER = ("scooter", "0")
    SKATER = ("skater", "0")
    SKATEBOARD = ("skateboard", "0")
    OTHER_CONVEYANCE = ("other conveyance", "0")
    ANIMAL = ("animal", "0")
    CYCLE = ("cycle", "1")
    MOTORCYCLE = ("motorcycle", "2")
    CAR = ("car", "3")
    PICKUP = ("pickup", "3")
    TRUCK = ("truck", "4")
    BUS = ("bus", "4")
    TRAIN = ("train", "5")
    OBJECT = ("object", "7")

    @property
    def collided(self) -> str:
        return self.value[1]


_SAID = {
    Party.PEDESTRIAN: "ped pedestrian jogger runner walker jogging",
    Party.SCOOTER: "scooter escooter hoverboard segway",
    Party.SKATER: "rollerblader rollerblade skater rollerblading",
    Party.SKATEBOARD: "skateboard skateboarder skateboarding longboard longboarder",
    Party.OTHER_CONVEYANCE: "wheelchair stroller sled sledder sledding",
    Party.ANIMAL: "deer elk moose animal cow dog horse hog bear",
    Party.CYCLE: "bike bicycle cyclist bicyclist biking bicycling ebike pedalcyclist tricycle",
    Party.MOTORCYCLE: "motorcycle motorcyclist motorbike moped biker mc harley mcc",
    Party.CAR: "car auto automobile vehicle veh suv van minivan sedan taxi jeep cab uber limo",
    Party.PICKUP: "pickup",
    Party.TRUCK: "truck semi trailer lorry 18wheeler rig tractortrailer",
    Party.BUS: "bus schoolbus",
    Party.TRAIN: "train subway trolley amtrak locomotive",
    Party.OBJECT: "tree pole wall guardrail fence barrier building house bridge hydrant curb mailbox ditch sign median"
    " embankment culvert gate rail rock boulder store garage tollbooth stump railing",
}
_PARTIES = {word: party for party, said in _SAID.items() for word in said.split()}
_ON_FOOT = {
    Party.SCOOTER: "131",
    Party.SKATER: "11",
    Party.SKATEBOARD: "12",
    Party.OTHER_CONVEYANCE: "19",
    Party.PEDESTRIAN: "10",
}
"""Pedestrians, with the next characters of their codes. A standing scooter is a pedestrian's conveyance."""
_IN = {
    Party.CYCLE: "1",
    Party.MOTORCYCLE: "2",
    Party.CAR: "4",
    Party.PICKUP: "5",
    Party.TRUCK: "6",
    Party.BUS: "7",
}
"""The second character of the code, by the patient's vehicle, the least protected first."""
_UNKNOWN: Mapping[Party, Mapping[str, tuple[str, ...]]] = {
    Party.CYCLE: {"": ("V19.9",), "driver": ("V19.40", "V19.9"), "passenger": ("V19.50", "V19.9")},
    Party.MOTORCYCLE: {"": ("V29.99",), "driver": ("V29.49", "V29.99"), "passenger": ("V29.59", "V29.99")},
    Party.CAR: {"": ("V89.2", "V49.9"), "driver": ("V49.40", "V49.9"), "passenger": ("V49.50", "V49.9")},
    Party.PICKUP: {"": ("V59.9",), "driver": ("V59.40", "V59.9"), "passenger": ("V59.50", "V59.9")},
    Party.TRUCK: {"": ("V69.9", "V89.2"), "driver": ("V69.40", "V69.9"), "passenger": ("V69.50", "V69.9")},
    Party.BUS: {"": ("V79.9",), "driver": ("V79.40", "V79.9"), "passenger": ("V79.50", "V79.9")},
}
"""Drivers and passengers, if the text does not name the other party."""
_ALONE = "8"
"""The third character of an accident without a collision."""
_SEATS = {
    "driver": "driver",
    "driving": "driver",
    "passenger": "passenger",
    "backseat": "passenger",
    "riding": "passenger",
}


_AGAINST = word_set(
    "vs v versus hit struck strike into collision collided against crashed ran run rear tboned dragged pinned"
    " clipped smashed hitting plowed slammed"
)
_OVERTURNED = word_set("rollover rolled roll overturned flipped ejected")
_FELL = _OVERTURNED | word_set("fell fall fallen thrown laid dumped off wrecked crashed lost")
_ACCIDENT = word_set("crash accident mvc mva wreck collision tbone tboned rearended bone boned")
_SAYS_NOTHING = (
    _ACCIDENT
    | PEOPLE
    | word_set(
        "a an and at by was in of off on over the to from with while traffic high low speed mph front back seat belted"
        " restrained unrestrained ended end t bone boned down his her helmeted unhelmeted helmet seatbelt no out"
        " control crosswalk street road highway crossing"
    )
)
_OTHER_VEHICLES = word_set("dirt quad atv utv snowmobile golf jet dune kart motocross")
"""Words of vehicles that have codes of another scheme."""
_MOST_UNEXPLAINED = 1


def collision(tokens: Sequence[str]) -> tuple[str, ...]:
    """Beginnings of the codes that a text describes, the best first; none when it describes no such accident.

    The less protected of two parties is the patient, whatever hit whom. Of two equal ones it is the first named.
    """
    parties = [_PARTIES[token] for token in tokens if token in _PARTIES]
    seat = next((_SEATS[token] for token in tokens if token in _SEATS), "")
    said = set(tokens)
    if said & _OTHER_VEHICLES:
        return ()
    unexplained = said - _PARTIES.keys() - _SEATS.keys() - _SAYS_NOTHING - _AGAINST - _FELL
    if len([token for token in unexplained if not token.isdigit()]) > _MOST_UNEXPLAINED:
        return ()
    patients = [party for party in (*_ON_FOOT, *_IN) if party in parties]
    if seat and not patients:
        patients.append(Party.CAR)
        parties.insert(0, Party.CAR)
    if said & _AGAINST and len(parties) > 1 and patients:
        return _against(parties, patients, seat)
    if said & _AGAINST and "by" in said and len(parties) == 1 and patients and not seat:
        return _pedestrian(parties[0])
    if (
        len(parties) == 1
        and patients
        and patients[0] in _UNKNOWN
        and said & (_ACCIDENT | _AGAINST if seat else _ACCIDENT)
    ):
        return _UNKNOWN[patients[0]][seat]
    if said & _OVERTURNED and patients and patients[0] in _IN:
        return _coded(patients[0], _ALONE, seat)
    if said & _FELL and patients and patients[0] in (Party.CYCLE, Party.MOTORCYCLE):
        return _coded(patients[0], _ALONE, seat)
    return ()


def _against(parties: list[Party], patients: list[Party], seat: str) -> tuple[str, ...]:
    occupant = next((party for party in parties if party in _IN), None)
    patient = patients[0] if patients[0] in (*_ON_FOOT, Party.CYCLE, Party.MOTORCYCLE) else occupant
    if patient is None:
        return ()
    others = list(parties)
    others.remove(patient)
    if patient in _ON_FOOT:
        return _pedestrian(others[0], _ON_FOOT[patient])
    return _coded(patient, others[0].collided, seat)


def _pedestrian(other: Party, conveyance: str = "10") -> tuple[str, ...]:
    """Beginnings of codes for a patient on foot. A truck may be a pick-up truck, which counts as a car."""
    light = (f"V03.{conveyance}",) if other is Party.TRUCK else ()
    return (f"V0{other.collided}.{conveyance}", *light) if other.collided in "12345" else ()


def _coded(patient: Party, other: str, seat: str) -> tuple[str, ...]:
    """Beginnings of codes by the named seat. Without one: the driver's, an unspecified one, a passenger's."""
    group = f"V{_IN[patient]}{other}."
    drives, rides = ("4", "5") if patient in (Party.CYCLE, Party.MOTORCYCLE) else ("5", "6")
    seats = {"driver": (drives, "9"), "passenger": (rides, "9"), "": (drives, "9", rides)}[seat]
    kind = {Party.MOTORCYCLE: "9"}.get(patient, "2" if group == "V43." else "")
    return tuple(f"{group}{seat}{kind}" for seat in seats)
