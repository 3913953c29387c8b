"""Procedures: the shipped list, its look-up over HTTP, and what a chart's review says of their codes."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coding.lookup.book import LoadedCodes
from app.coding.lookup.shipped import shipped_terms
from app.coding.procedures.index import CODE_SHAPE, build
from app.coding.procedures.listed import LIST_DATE, procedure_fault, shipped_procedures
from app.coding.procedures.snomed import is_concept
from app.coding.search.ranking import Query, search
from app.coding.vocabulary.schemas import CodeDomain
from tests.architecture.queries import counted
from tests.coding.test_data import DATA
from tests.ems.charts import INTERVENTION, Chart
from tests.ems.findings import findings, readiness
from tests.support.actors import Actor, Agency
from tests.support.database import shared_dir

IV, TWELVE_LEAD, INTUBATION = "392230005", "268400002", "232674004"
INTUBATION_BEFORE, UNLISTED, SWAPPED = "16883004", "112798008", "392203005"
"""A code that NEMSIS's list has replaced; a concept that it lacks; an IV insertion with two digits swapped."""
LISTED = [procedure for procedure in shipped_procedures().values() if procedure.replaced_by is None]


@pytest.fixture(scope="module")
def procedures() -> LoadedCodes:
    return build()


def find(procedures: LoadedCodes, text: str, limit: int = 5) -> list[str]:
    index = procedures.index
    terms = shipped_terms(CodeDomain.PROCEDURES)
    asked = Query(text, terms, CODE_SHAPE, index.leading, (), limit, procedures.leaders)
    return [index.codes[number] for number in search(index, asked)]


def test_the_list_is_the_one_that_nemsis_defines() -> None:
    """Its codes, its date, and what it notes as included in a code or replaced by it."""
    shared = shared_dir()
    if shared is None:
        pytest.skip("needs the NEMSIS defined lists (SHARED_DIR)")
    defined = json.loads((shared / "nemsis" / "lists" / "Procedure.json").read_text(encoding="utf-8"))["DefinedList"]
    items = [(item["Value"]["Value"], item.get("Note", "")) for item in defined["Codes"]["Code"]]
    assert defined["date"] == LIST_DATE
    assert {procedure.code for procedure in LISTED} == {code for code, _ in items}
    noted = {(before, code) for code, note in items for before in re.findall(r"\b[0-9]{6,18}\b", note)}
    assert {(one.code, one.replaced_by) for one in shipped_procedures().values() if one.replaced_by} == noted


def test_rows_are_well_formed() -> None:
    with (DATA / "procedures.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file, strict=True))) == len(shipped_procedures()) >= 145
    names = Counter(procedure.name.casefold() for procedure in shipped_procedures().values())
    said = Counter(text for procedure in shipped_procedures().values() for text in procedure.synonyms)
    assert [name for name, count in (names + said).items() if count > 1 and name not in names] == []
    assert max(names.values()) == 1
    for procedure in shipped_procedures().values():
        assert all(text == text.strip().casefold() != "" for text in procedure.synonyms), procedure
        assert is_concept(procedure.code), procedure


def test_a_procedure_is_found_by_all_that_it_is_called(procedures: LoadedCodes) -> None:
    """First by its code, its name and the code that it has replaced; among the first two by what crews say."""
    missed = []
    for procedure in shipped_procedures().values():
        wanted = procedure.replaced_by or procedure.code
        missed += [procedure.name] * (find(procedures, procedure.name, 1) != [wanted])
        missed += [procedure.code] * (find(procedures, procedure.code, 1) != [wanted])
        missed += [said for said in procedure.synonyms if wanted not in find(procedures, said, 2)]
    assert missed == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("iv", "IV insertion"),
        ("12 lead", "12-lead ECG"),
        ("12-lead ekg", "12-lead ECG"),
        ("i-gel", "Single-lumen supraglottic airway insertion"),
        ("io", "Intraosseous cannulation"),
        ("c-collar", "Cervical collar application"),
        ("cardiovert", "Cardioversion"),
        ("bvm", "Bag-valve-mask ventilation"),
        ("cpap", "CPAP"),
        ("ng tube", "Nasogastric tube insertion"),
        ("needle decompression", "Needle decompression"),
        ("torniquet", "Tourniquet application"),
        ("intubat", "Orotracheal intubation"),
        ("capnograpy", "Digital capnography"),
        ("18 g iv", "IV insertion"),
        ("lucas cpr", "Mechanical chest compressions"),
    ],
)
def test_procedures_as_crews_say_them(procedures: LoadedCodes, typed: str, name: str) -> None:
    [first] = find(procedures, typed, 1)
    assert shipped_procedures()[first].name == name


def answered(answer: dict[str, Any]) -> list[str]:
    return [item["code"] for item in answer["items"]]


async def ask(actor: Actor, q: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await actor.expect(200, "GET", "coding/procedures", params={"q": q, **params})
    return answer


async def test_an_answer_shows_what_a_client_needs(coders: Agency) -> None:
    for who in ("admin", "medic", "biller", "founder", "supervisor"):
        answer = await ask(coders.actors[who], "start an iv", limit=1)
        assert answer == {
            "release": LIST_DATE,
            "items": [
                {
                    "code": IV,
                    "name": "IV insertion",
                    "category": "vascular_access",
                    "suggested": True,
                    "replaced_by": None,
                }
            ],
        }
    detail = await coders.medic.expect(200, "GET", f"coding/procedures/{IV}")
    assert "iv start" in detail["synonyms"] and set(detail["replaces"]) == {"392231009", "386339009"}


async def test_filters(coders: Agency) -> None:
    everything, cardiac = (
        await ask(coders.medic, "monitoring"),
        await ask(coders.medic, "monitoring", category="cardiac_assessment"),
    )
    assert {item["category"] for item in cardiac["items"]} == {"cardiac_assessment"}
    assert 0 < len(cardiac["items"]) < len(everything["items"])
    for q in (INTUBATION_BEFORE, "endotracheal intubation"):
        assert answered(await ask(coders.medic, q))[0] == INTUBATION
        assert INTUBATION_BEFORE not in answered(await ask(coders.medic, q))
    replaced = await ask(coders.medic, INTUBATION_BEFORE, include_replaced=True)
    assert (replaced["items"][0]["suggested"], replaced["items"][0]["replaced_by"]) == (False, INTUBATION)
    await coders.medic.expect(422, "GET", "coding/procedures", params={"q": "iv", "category": "surgery"})


async def test_what_is_not_there(coders: Agency, coding_client: Any) -> None:
    await coders.medic.expect(404, "GET", f"coding/procedures/{UNLISTED}")
    await coders.medic.expect(422, "GET", "coding/procedures/iv")
    for path in ("procedures?q=x", f"procedures/{IV}"):
        await Actor(coding_client).expect(401, "GET", f"coding/{path}")


async def test_an_unchanged_answer_is_not_sent_again(coders: Agency) -> None:
    for path in ("coding/procedures?q=iv", f"coding/procedures/{IV}"):
        tag = (await coders.medic.get(path)).headers["etag"]
        again = await coders.medic.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


async def test_the_agencys_own_words_find_procedures(coders: Agency, coding_runtime: Any) -> None:
    body = {"say": "spark plug", "boost": [TWELVE_LEAD], "domains": ["procedures"]}
    assert TWELVE_LEAD not in answered(await ask(coders.medic, "spark plug"))
    await coders.admin.expect(201, "POST", "coding/vocabulary", json=body)
    assert answered(await ask(coders.medic, "spark plug"))[0] == TWELVE_LEAD
    assert answered(await coders.medic.expect(200, "GET", "coding/icd10", params={"q": "spark plug"}))[:1] != [
        TWELVE_LEAD
    ]
    async with counted(coding_runtime.database) as statements:
        await ask(coders.medic, "spark plug")
    assert len(statements) == 3, "the state of the vocabulary, beside BEGIN and COMMIT"


@given(st.sampled_from(LISTED), st.data())
def test_one_wrong_digit_or_two_swapped_are_noticed(procedure: Any, data: st.DataObject) -> None:
    code: str = procedure.code
    assert is_concept(code) and procedure_fault(code) is None
    at = data.draw(st.integers(0, len(code) - 1))
    digit = data.draw(st.sampled_from([one for one in "0123456789" if one != code[at]]))
    assert not is_concept(code[:at] + digit + code[at + 1 :])
    if at and code[at] != code[at - 1]:
        assert not is_concept(code[: at - 1] + code[at] + code[at - 1] + code[at + 1 :])


async def test_the_review_warns_of_codes_that_cannot_be_right(coders: Agency) -> None:
    """Not of a concept that the list lacks: NEMSIS takes any SNOMED CT code."""
    chart = await Chart.open(coders)
    made = {}
    for code in (IV, UNLISTED, SWAPPED, INTUBATION_BEFORE):
        body = {"patient_id": chart.patient["id"], "type": "procedure", "procedure_code": code}
        entry = await chart.writer.expect(201, "POST", chart.at(INTERVENTION), json=body)
        made[entry["id"]] = code
    answer = await readiness(chart.writer, chart.id)
    found = findings(answer, rule="eProcedures.03", stage="review")
    assert {made[each["entity_id"]]: each["code"] for each in found} == {
        SWAPPED: "unknown_code",
        INTUBATION_BEFORE: "code_replaced",
    }
    assert {(each["severity"], each["entity"], each["field"], each["patient_id"]) for each in found} == {
        ("warning", "intervention", "procedure_code", chart.patient["id"])
    }
    assert not [each for each in found if any(code in each["message"] for code in made.values())]
