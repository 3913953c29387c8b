"""Releases of RxNorm: RRF files and CSV, relations both ways, and files that change nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.coding.public import RxNormExtract, RxNormFault, RxNormStanding
from app.coding.releases.models import CodeSystem
from scripts.codesets.reading import BadRelease, Source
from scripts.codesets.releases import Release, Report
from scripts.codesets.rxnorm import import_rxnorm
from scripts.codesets.rxnorm_sources import SHIPPED, SHIPPED_SINCE, CsvFile, RrfFiles

NOW, LATER = dt.date(2026, 10, 5), dt.date(2026, 11, 2)
CONCEPTS = (
    ("26225", "IN", "ondansetron", "N"),
    ("66981", "BN", "Zofran", "N"),
    ("316306", "SCDC", "ondansetron 4 MG", "N"),
    ("104894", "SCD", "ondansetron 4 MG Disintegrating Oral Tablet", "N"),
    ("104894", "SY", "ondansetron ODT 4 MG", "N"),
    ("104894", "PSN", "ondansetron 4 MG disintegrating oral tablet", "O"),
    ("104895", "SBD", "ondansetron 4 MG Disintegrating Oral Tablet [Zofran]", "N"),
    ("999", "SCD", "ondansetron 99 MG Oral Tablet", "O"),
    ("1", "DF", "Oral Tablet", "N"),
)
# (first, second, relation): the second has the relation to the first.
RELATIONS = (
    ("26225", "66981", "tradename_of"),
    ("26225", "316306", "has_ingredient"),
    ("316306", "104894", "consists_of"),
    ("104894", "104895", "tradename_of"),
    ("66981", "104895", "has_ingredient"),
    ("104894", "26225", "ingredient_of"),
    ("26225", "77777", "has_ingredient"),
)


def conso(rxcui: str, tty: str, name: str, suppress: str, *, sab: str = "RXNORM", lat: str = "ENG") -> str:
    return f"{rxcui}|{lat}||||||{rxcui}9||{rxcui}||{sab}|{tty}|{rxcui}|{name}||{suppress}|4096|\n"


def rel(first: str, second: str, relation: str) -> str:
    return f"{first}||CUI|RO|{second}||CUI|{relation}|1||RXNORM|RXNORM||||4096|\n"


def rrf(directory: Path, concepts: Any = CONCEPTS, relations: Any = RELATIONS) -> RrfFiles:
    names = [conso(*concept) for concept in concepts]
    names += [conso("555", "BN", "Foreign", "N", lat="SPA"), conso("556", "CD", "From elsewhere", "N", sab="MMSL")]
    (directory / "RXNCONSO.RRF").write_text("".join(names), encoding="utf-8")
    (directory / "RXNREL.RRF").write_text("".join(rel(*relation) for relation in relations), encoding="utf-8")
    (directory / "RXNSAT.RRF").write_text(
        "104894|||9|AUI|104894|||RXN_AVAILABLE_STRENGTH|RXNORM|4 MG|N|4096|\n"
        "104894|||9|AUI|104894|||NDC|RXNORM|00000000000|N|4096|\n",
        encoding="utf-8",
    )
    return RrfFiles(directory)


def release(day: dt.date) -> Release:
    return Release(CodeSystem.RXNORM, day.isoformat(), day)


async def load(owner: asyncpg.Connection, files: Any, day: dt.date) -> Report:
    return await import_rxnorm(owner, release(day), Source("files"), files)


async def of(owner: asyncpg.Connection, source: str, files: Any, day: dt.date) -> Report:
    return await import_rxnorm(owner, release(day), Source(source), files)


def csv_file(directory: Path, text: str) -> CsvFile:
    path = directory / "drugs.csv"
    path.write_text(text, encoding="utf-8")
    return CsvFile(path)


async def concept(owner: asyncpg.Connection, code: str) -> Any:
    return await owner.fetchrow("SELECT * FROM rxnorm_concepts WHERE code = $1", code)


async def contents(owner: asyncpg.Connection) -> list[Any]:
    return [
        *await owner.fetch("SELECT * FROM rxnorm_concepts ORDER BY id"),
        *await owner.fetch("SELECT * FROM rxnorm_relations ORDER BY id"),
        *await owner.fetch("SELECT * FROM code_releases ORDER BY id"),
    ]


async def test_rrf(owner: asyncpg.Connection, tmp_path: Path) -> None:
    report = await load(owner, rrf(tmp_path), NOW)
    assert (report.rows, report.added, report.relations_added) == (6, 6, 5)
    drug = await concept(owner, "104894")
    assert (drug["term_type"], drug["strength"], drug["suppressed"]) == ("SCD", "4 MG", False)
    assert drug["synonyms"] == ["ondansetron ODT 4 MG"]
    assert (drug["ingredients"], drug["brands"]) == (["ondansetron"], ["Zofran"])
    assert (await concept(owner, "26225"))["brands"] == ["Zofran"]
    assert (await concept(owner, "66981"))["ingredients"] == ["ondansetron"]
    assert (await concept(owner, "104895"))["ingredients"] == ["ondansetron"]
    assert (await concept(owner, "999"))["suppressed"]
    assert {tuple(row) for row in await owner.fetch("SELECT rxcui, relation, other FROM rxnorm_relations")} == {
        (second, relation, first) for first, second, relation in RELATIONS[:5]
    }


async def test_the_same_again_changes_nothing(owner: asyncpg.Connection, tmp_path: Path) -> None:
    await load(owner, rrf(tmp_path), NOW)
    before = await contents(owner)
    assert (await load(owner, rrf(tmp_path), NOW)).nothing
    assert (await load(owner, rrf(tmp_path), LATER)).nothing
    assert await contents(owner) == before


async def test_only_rrf_is_rxnorm_itself(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """A CSV is somebody's selection: what it lacks may well exist. On top of RxNorm itself it takes nothing away."""
    await load(owner, CsvFile(SHIPPED), SHIPPED_SINCE)
    await import_rxnorm(owner, release(NOW), Source("files"), rrf(tmp_path), allow_retiring=True)
    await load(owner, CsvFile(SHIPPED), LATER)
    stored = await owner.fetch("SELECT whole FROM code_releases ORDER BY effective_from")
    assert [row["whole"] for row in stored] == [False, True, True]


async def test_a_selection_retires_nothing(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """Nor does it blank what it has no column for, or drop relations."""
    await load(owner, rrf(tmp_path), NOW)
    before = await contents(owner)
    relations = await owner.fetch("SELECT * FROM rxnorm_relations ORDER BY id")
    assert (await load(owner, csv_file(tmp_path, "rxcui,name\n26225,ondansetron\n"), LATER)).nothing
    assert await contents(owner) == before
    text = "rxcui,name,brands\n104894,ondansetron ODT,Zofran; Zuplenz\n7242,naloxone,Narcan\n"
    report = await load(owner, csv_file(tmp_path, text), LATER)
    assert (report.added, report.changed, report.retired, report.withdrawn, report.relations_dropped) == (1, 1, 0, 0, 0)
    drug = await concept(owner, "104894")
    assert (drug["name"], drug["brands"]) == ("ondansetron ODT", ["Zofran", "Zuplenz"])
    kept = (drug["term_type"], drug["strength"], drug["suppressed"], drug["synonyms"], drug["ingredients"])
    assert kept == ("SCD", "4 MG", False, ["ondansetron ODT 4 MG"], ["ondansetron"])
    assert await owner.fetchval("SELECT count(*) FROM rxnorm_concepts WHERE retired_on IS NOT NULL") == 0
    assert await owner.fetch("SELECT * FROM rxnorm_relations ORDER BY id") == relations
    assert (await load(owner, csv_file(tmp_path, "rxcui,name\n104894,ondansetron ODT\n"), LATER)).withdrawn == 0


async def test_a_selection_withdraws_what_its_source_alone_brought(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """Not what another brought, or changed since; and what is withdrawn is at no fault."""
    head = "rxcui,name,ingredient_rxcui\n"
    await of(owner, "shipped", csv_file(tmp_path, head + "7242,naloxone,\n1,one,\n"), NOW)
    text = head + "7242,Naloxone,\n99,kit,7242\n98,kits,7242\n97,old,\n"
    assert (await of(owner, "drugs.csv", csv_file(tmp_path, text), NOW)).relations_added == 2
    await of(owner, "other.csv", csv_file(tmp_path, head + "97,new,\n"), NOW)
    report = await of(owner, "drugs.csv", csv_file(tmp_path, "rxcui,name\n98,kits\n"), LATER)
    assert (report.retired, report.withdrawn, report.relations_dropped) == (0, 1, 1)
    stored = await owner.fetch("SELECT code, retired_on FROM rxnorm_concepts WHERE deleted_at IS NULL ORDER BY code")
    assert [tuple(row) for row in stored] == [("1", None), ("7242", None), ("97", None), ("98", None)]
    assert (await of(owner, "drugs.csv", csv_file(tmp_path, text), LATER)).added == 1
    assert await owner.fetchval("SELECT count(*) FROM rxnorm_relations WHERE deleted_at IS NULL") == 2
    assert (
        await of(owner, "drugs.csv", csv_file(tmp_path, text.replace("kits,7242", "kits,")), LATER)
    ).nothing is False
    assert await owner.fetchval("SELECT rxcui FROM rxnorm_relations WHERE deleted_at IS NULL") == "99"


async def test_the_whole_is_noted_where_nothing_else_changes(owner: asyncpg.Connection, tmp_path: Path) -> None:
    await load(owner, csv_file(tmp_path, "rxcui,name,tty\n26225,ondansetron,IN\n"), NOW)
    assert (await load(owner, rrf(tmp_path, CONCEPTS[:1], ()), NOW)).nothing
    assert [row["whole"] for row in await owner.fetch("SELECT whole FROM code_releases ORDER BY created_at")] == [
        False,
        True,
    ]


def test_only_the_whole_has_retired_a_concept() -> None:
    """What a selection no longer has is no fault of a chart."""
    concepts = {"1": RxNormStanding(suppressed=False, retired_on=NOW)}
    assert RxNormExtract(known=False, concepts=concepts).fault("1", LATER) is None
    assert RxNormExtract(known=True, concepts=concepts).fault("1", LATER) is RxNormFault.RETIRED


async def test_a_newer_release_retires_and_brings_back(owner: asyncpg.Connection, tmp_path: Path) -> None:
    await load(owner, rrf(tmp_path), NOW)
    report = await load(owner, rrf(tmp_path, CONCEPTS[:4], RELATIONS[:3]), LATER)
    assert (report.added, report.retired, report.relations_dropped) == (0, 2, 2)
    assert (await concept(owner, "104895"))["retired_on"] == LATER
    assert (await concept(owner, "104894"))["brands"] == []
    report = await load(owner, rrf(tmp_path), LATER + dt.timedelta(days=30))
    assert (report.added, report.relations_added) == (2, 2)
    assert (await concept(owner, "104895"))["retired_on"] is None


async def test_rrf_leaves_what_rxnorm_has_no_code_for(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """On top of the shipped medications; those that it lacks are retired, and nothing goes back behind it."""
    assert (await load(owner, CsvFile(SHIPPED), SHIPPED_SINCE)).added == 2777
    assert (await load(owner, CsvFile(SHIPPED), SHIPPED_SINCE)).nothing
    kept = await owner.fetch("SELECT code, name, term_type FROM rxnorm_concepts WHERE terminology = 'rxnorm'")
    concepts = [(row["code"], row["term_type"], row["name"], "N") for row in kept if row["code"] != "7242"]
    report = await load(owner, rrf(tmp_path, concepts, ()), NOW)
    assert report.retired == 1 and (await concept(owner, "7242"))["retired_on"] == NOW
    assert (
        await owner.fetchval("SELECT count(*) FROM rxnorm_concepts WHERE terminology = 'snomed' AND retired_on IS NULL")
        == 7
    )
    before = await contents(owner)
    with pytest.raises(BadRelease, match="is newer"):
        await load(owner, CsvFile(SHIPPED), SHIPPED_SINCE)
    assert await contents(owner) == before


async def test_csv(owner: asyncpg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "drugs.csv"
    path.write_text(
        "rxcui,name,tty,ingredient_rxcui,brands,suppressed\n7242,naloxone,IN,,Narcan; Evzio,\n99,kit,SCD,7242,,Y\n",
        encoding="utf-8",
    )
    assert (await load(owner, CsvFile(path), NOW)).added == 2
    assert (await concept(owner, "7242"))["brands"] == ["Narcan", "Evzio"]
    kit = await concept(owner, "99")
    assert (kit["ingredients"], kit["suppressed"]) == (["naloxone"], True)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("RXNCONSO.RRF", "1|ENG|\n", "RXNCONSO.RRF: 2 fields instead of 18"),
        ("RXNCONSO.RRF", conso("x", "IN", "name", "N"), "line 1: RXNCONSO.RRF: no rxcui"),
        ("RXNCONSO.RRF", conso("1", "IN", "", "N"), "line 1: RXNCONSO.RRF: no rxcui, or no name"),
        ("RXNREL.RRF", "a|b\n", "RXNREL.RRF: 1 fields instead of 16"),
        ("RXNSAT.RRF", "\xff", "fields instead of 13"),
        ("RXNCONSO.RRF", "", "no concepts"),
        ("RXNCONSO.RRF", conso("1", "IN", "na\0me", "N"), "line 1: has a NUL"),
    ],
)
async def test_bad_rrf_changes_nothing(
    owner: asyncpg.Connection, tmp_path: Path, name: str, text: str, told: str
) -> None:
    files = rrf(tmp_path)
    await load(owner, files, NOW)
    before = await contents(owner)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadRelease, match=told):
        await load(owner, files, LATER)
    assert await contents(owner) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rxcui,name\n1,one\n2,t\0wo\n", "line 3: has a NUL"),
        ("rxcui,name,brands\n1,one,a\x07\n", "line 2: brands has more"),
        (f"rxcui,name,synonyms\n1,one,{'x' * 4001}\n", "line 2: synonyms has more"),
        (f"rxcui,name\n1,{'x' * 3001}\n", "line 2: a field is too long"),
        (f"rxcui,name,tty\n1,one,{'x' * 21}\n", "line 2: a field is too long"),
        ("rxcui,name,ingredient_rxcui\n1,one,1\n", "line 2: 1 is its own ingredient"),
    ],
)
async def test_a_bad_csv_changes_nothing(owner: asyncpg.Connection, tmp_path: Path, text: str, told: str) -> None:
    await load(owner, rrf(tmp_path), NOW)
    before = await contents(owner)
    with pytest.raises(BadRelease, match=told):
        await load(owner, csv_file(tmp_path, text), LATER)
    assert await contents(owner) == before


async def test_an_absent_file_changes_nothing(owner: asyncpg.Connection, tmp_path: Path) -> None:
    files = rrf(tmp_path)
    (tmp_path / "RXNSAT.RRF").unlink()
    with pytest.raises(FileNotFoundError):
        await load(owner, files, NOW)
    assert await contents(owner) == []
