"""Reads transport accidents: `car vs tree`, `cyclist hit by car`, `driver rollover` (ICD-10-CM, V00-V79).

Their codes follow a scheme, not words: the second character is the patient's vehicle, the third is the other party
of the collision, the fourth is the seat.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Party(Enum):
    """A party of an accident: the third character of the code if the patient's vehicle collided with it."""

    PEDESTRIAN = "0"
    SCOOTER = "000"
    ANIMAL = "00"
    CYCLE = "1"
    MOTORCYCLE = "2"
    CAR = "3"
    PICKUP = "03"
    TRUCK = "4"
    BUS = "04"
    TRAIN = "5"
    OBJECT = "7"

    @property
    def collided(self) -> str:
        return self.value[-1]


_SAID = {
    Party.PEDESTRIAN: "ped pedestrian jogger runner walker",
    Party.SCOOTER: "scooter escooter",
    Party.ANIMAL: "deer elk moose animal cow",
    Party.CYCLE: "bike bicycle cyclist bicyclist",
    Party.MOTORCYCLE: "motorcycle motorcyclist motorbike moped biker mc",
    Party.CAR: "car auto automobile vehicle veh suv van minivan sedan taxi jeep",
    Party.PICKUP: "pickup",
    Party.TRUCK: "truck semi trailer lorry",
    Party.BUS: "bus",
    Party.TRAIN: "train",
    Party.OBJECT: "tree pole wall guardrail fence barrier building house bridge hydrant curb mailbox ditch",
}
_PARTIES = {word: party for party, said in _SAID.items() for word in said.split()}
_ON_FOOT = {Party.PEDESTRIAN: "10", Party.SCOOTER: "131"}
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
_UNKNOWN = {"driver": ("V49.40", "V49.9"), "passenger": ("V49.50", "V49.9")}
"""A car's driver and passenger, if the text does not name the other party."""
_ALONE = "8"
"""The third character of an accident without a collision."""
_SEATS = {"driver": "driver", "driving": "driver", "passenger": "passenger"}


def _set(said: str) -> frozenset[str]:
    return frozenset(said.split())


_AGAINST = _set("vs v versus hit struck strike into collision collided against crashed ran run rear tboned dragged")
_OVERTURNED = _set("rollover rolled roll overturned flipped ejected")
_FELL = _OVERTURNED | _set("fell fall fallen thrown laid dumped")
_ACCIDENT = _set("crash accident mvc mva wreck collision tbone tboned rearended")
_SAYS_NOTHING = _ACCIDENT | _set(
    "a an and at by was in of off on over the to from with while traffic high low speed mph front back seat belted"
    " restrained unrestrained ended end t bone boned down his her"
)
_MOST_UNEXPLAINED = 1


def collision(tokens: Sequence[str]) -> tuple[str, ...]:
    """Beginnings of the codes that a text describes, the best first; none when it describes no such accident.

    The less protected of two parties is the patient, whatever hit whom. Of two equal ones it is the first named.
    """
    parties = [_PARTIES[token] for token in tokens if token in _PARTIES]
    seat = next((_SEATS[token] for token in tokens if token in _SEATS), "")
    said = set(tokens)
    unexplained = said - _PARTIES.keys() - _SEATS.keys() - _SAYS_NOTHING - _AGAINST - _FELL
    if len([token for token in unexplained if not token.isdigit()]) > _MOST_UNEXPLAINED:
        return ()
    patients = [party for party in (*_ON_FOOT, *_IN) if party in parties]
    if seat and not patients:
        patients.append(Party.CAR)
        parties.insert(0, Party.CAR)
    if said & _AGAINST and len(parties) > 1 and patients:
        return _against(parties, patients, seat)
    if said & _AGAINST and "by" in said and len(parties) == 1 and patients:
        return _pedestrian(parties[0])
    if seat and said & _ACCIDENT and patients == [Party.CAR]:
        return _UNKNOWN[seat]
    if said & _OVERTURNED and patients:
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
