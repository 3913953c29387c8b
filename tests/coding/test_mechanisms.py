"""What is told of a transport accident, as the beginnings of its codes."""

from __future__ import annotations

import pytest

from app.coding.icd10.mechanisms import collision
from app.coding.lookup.book import LoadedCodes
from app.coding.search.words import words


@pytest.mark.parametrize(
    ("told", "first"),
    [
        ("car vs tree", "V47.5"),
        ("passenger car vs pole", "V47.6"),
        ("driver car vs car", "V43.52"),
        ("cyclist hit by car", "V13.4"),
        ("car hit a cyclist", "V13.4"),
        ("truck vs pedestrian", "V04.10"),
        ("ped struck by bus", "V04.10"),
        ("motorcycle vs deer", "V20.49"),
        ("pickup into ditch", "V57.5"),
        ("driver rollover", "V48.5"),
        ("fell off bicycle", "V18.4"),
        ("unrestrained passenger mvc", "V49.50"),
        ("scooter vs car", "V03.131"),
        ("hit by car", "V03.10"),
    ],
)
def test_the_patient_is_the_less_protected(told: str, first: str) -> None:
    assert collision(words(told))[0] == first


@pytest.mark.parametrize(
    "told",
    ["car", "chest pain", "fell", "wall pain", "hit by ball", "car seat rash on left leg", "tree nut allergy", "bus"],
)
def test_nothing_is_read_into_other_texts(told: str) -> None:
    assert collision(words(told)) == ()


def test_every_beginning_has_codes(whole: LoadedCodes) -> None:
    """Whoever was in whatever, against whatever."""
    patients = ("ped", "scooter", "bike", "motorcycle", "car", "pickup", "semi", "bus")
    others = ("bike", "motorcycle", "car", "truck", "bus", "train", "tree", "deer")
    told = [f"{seat} {one} vs {other}" for seat in ("", "driver", "passenger") for one in patients for other in others]
    told += [f"{seat} {one} rollover" for seat in ("", "driver", "passenger") for one in patients[2:]]
    missing = [
        (text, beginning)
        for text in told
        for beginning in collision(words(text))
        if not whole.index.coded_set(beginning) & whole.index.leading
    ]
    assert missing == []
