"""Releases of ICD-10-CM: every source, corrections, retirement by date, and files that change nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.coding.public import CodeFault, extract_icd10
from app.coding.releases.models import CodeSystem
from app.core.db.sql import CompiledStatement
from scripts.codesets.icd10 import import_icd10
from scripts.codesets.icd10_sources import Icd10Row, chapter_of, dotted, read_csv, read_order_file, shipped_set
from scripts.codesets.reading import BadRelease, Refusals, Source
from scripts.codesets.releases import Release, Report
from scripts.import_icd10 import main
from tests.coding.sample import part_of, store
from tests.support.database import ROOT, TestDatabase

FIRST, SECOND, THIRD = dt.date(2025, 10, 1), dt.date(2026, 4, 1), dt.date(2026, 10, 1)
SINCE = dt.date(2015, 10, 1)
LINES = (
    ("A00", "0", "Cholera", "Cholera"),
    ("A000", "1", "Cholera due to Vibrio cholerae 01, biovar cholerae", "Cholera due to Vibrio cholerae 01"),
    ("S52501A", "1", "Unsp fracture of the lower end of right radius, init", "Unspecified fracture, initial encounter"),
    ("S52", "0", "Fracture of forearm", "Fracture of forearm"),
    ("S525", "0", "Fracture of lower end of radius", "Fracture of lower end of radius"),
)


def order_file(directory: Path, lines: Iterable[tuple[str, str, str, str]] = LINES) -> Path:
    """As CMS writes it: columns of fixed width."""
    path = directory / "icd10cm_order_2027.txt"
    text = "".join(
        f"{number:05} {code:<7} {billable} {short:<60} {long}\n"
        for number, (code, billable, short, long) in enumerate(lines, start=1)
    )
    path.write_text(text, encoding="utf-8")
    return path


def csv_file(directory: Path, text: str) -> Path:
    path = directory / "codes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def release(day: dt.date) -> Release:
    return Release(CodeSystem.ICD10CM, day.isoformat(), day)


async def of_order_file(owner: asyncpg.Connection, path: Path, day: dt.date) -> Report:
    return await import_icd10(owner, release(day), Source(path.name), partial(read_order_file, path), whole=True)


async def of_csv(owner: asyncpg.Connection, path: Path, day: dt.date, **given: bool) -> Report:
    """All of ICD-10-CM, unless it is said to be a selection."""
    read = partial(read_csv, path)
    return await import_icd10(owner, release(day), Source(path.name), read, **{"whole": True, **given})


class Reading:
    """Statements of the app on the importers' connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: CompiledStatement, values: dict[str, Any]) -> list[Any]:
        found: list[Any] = await self._connection.fetch(statement.sql, *statement.arguments(values))
        return found


async def contents(owner: asyncpg.Connection) -> list[Any]:
    """Everything but bookkeeping: equal before and after means that nothing happened."""
    return [
        *await owner.fetch("SELECT * FROM icd10_codes ORDER BY id"),
        *await owner.fetch("SELECT * FROM code_releases ORDER BY id"),
    ]


async def row_of(owner: asyncpg.Connection, code: str) -> Any:
    [row] = await owner.fetch("SELECT * FROM icd10_codes WHERE code = $1 AND deleted_at IS NULL", code)
    return row


def rows(*codes: str) -> list[Icd10Row]:
    return [
        Icd10Row(at, code, "code", f"Description of {code}", billable=True, category=code[:3], chapter="1", parent=None)
        for at, code in enumerate(codes)
    ]


async def test_order_file(owner: asyncpg.Connection, tmp_path: Path) -> None:
    report = await of_order_file(owner, order_file(tmp_path), FIRST)
    assert report == Report(rows=5, added=5, changed=0, retired=0)
    row = await row_of(owner, "S52.501A")
    assert (row["compact"], row["parent"], row["category"], row["chapter"]) == ("S52501A", "S52.5", "S52", "19")
    assert (row["description"], row["short_description"]) == (LINES[2][3], LINES[2][2])
    assert (row["billable"], row["valid_from"], row["valid_to"]) == (True, SINCE, None)
    assert not (await row_of(owner, "A00"))["billable"]
    [stored] = await owner.fetch("SELECT * FROM code_releases")
    assert (stored["source"], stored["release"], stored["whole"]) == ("icd10cm_order_2027.txt", "2025-10-01", True)
    assert len(stored["sha256"]) == 64


async def test_csv_with_the_least_columns(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """What stands above what, and what is billable, follows from the codes."""
    path = csv_file(tmp_path, 'description,CODE\r\n"Cholera, biovar",a000\r\nCholera,A00\r\n"Typhoid\nfever",A01\r\n')
    with pytest.raises(BadRelease, match="line 5: description has more"):
        await of_csv(owner, path, FIRST)
    path = csv_file(tmp_path, '\ufeffdescription,CODE\r\n"Cholera, biovar",a000\r\nCholera,A00\r\n')
    assert (await of_csv(owner, path, FIRST)).added == 2
    assert {(r["code"], r["billable"], r["parent"]) for r in await owner.fetch("SELECT * FROM icd10_codes")} == {
        ("A00.0", True, "A00"),
        ("A00", False, None),
    }


async def test_the_same_again_changes_nothing(owner: asyncpg.Connection, tmp_path: Path) -> None:
    path = order_file(tmp_path)
    await of_order_file(owner, path, FIRST)
    before = await contents(owner)
    assert (await of_order_file(owner, path, FIRST)).nothing
    assert (await of_order_file(owner, path, SECOND)).nothing
    assert await contents(owner) == before


async def test_a_newer_release_retires_by_date(owner: asyncpg.Connection) -> None:
    await store(owner, rows("A00", "A01", "A02"), FIRST)
    report = await store(owner, rows("A00", "A02", "A03"), SECOND)
    assert report == Report(rows=3, added=1, changed=0, retired=1)
    assert (await row_of(owner, "A01"))["valid_to"] == SECOND - dt.timedelta(days=1)
    assert (await row_of(owner, "A03"))["valid_from"] == SECOND
    assert (await row_of(owner, "A00"))["valid_from"] == SINCE


async def test_a_code_that_comes_back_has_two_periods(owner: asyncpg.Connection) -> None:
    await store(owner, rows("A00", "A01"), FIRST)
    await store(owner, rows("A00"), SECOND)
    assert (await store(owner, rows("A00", "A01"), THIRD)).added == 1
    periods = await owner.fetch("SELECT valid_from, valid_to FROM icd10_codes WHERE code = 'A01' ORDER BY valid_from")
    assert [tuple(period) for period in periods] == [(SINCE, SECOND - dt.timedelta(days=1)), (THIRD, None)]


async def test_a_code_that_becomes_a_heading_was_billable_until_then(owner: asyncpg.Connection) -> None:
    """What the new release does not say is carried over; the same release again parts nothing, nor joins it again."""
    code = rows("A00")[0]._replace(inclusion_terms=["Asiatic cholera"])
    await store(owner, [code, *rows("A01")], FIRST)
    release = [*rows("A01"), *rows("A00.0"), code._replace(billable=False, inclusion_terms=None)]
    assert await store(owner, release, SECOND) == Report(rows=3, added=1, changed=1, retired=0)
    eve = SECOND - dt.timedelta(days=1)
    both = "SELECT * FROM icd10_codes WHERE code = 'A00' AND deleted_at IS NULL ORDER BY valid_from"
    periods = await owner.fetch(both)
    assert [(row["valid_from"], row["valid_to"], row["billable"]) for row in periods] == [
        (SINCE, eve, True),
        (SECOND, None, False),
    ]
    assert [row["inclusion_terms"] for row in periods] == [["Asiatic cholera"]] * 2
    before = await contents(owner)
    assert (await store(owner, release, SECOND)).nothing
    assert await contents(owner) == before
    assert (await store(owner, release[:2], SECOND)).withdrawn == 1
    assert (await store(owner, release, SECOND)).added == 1
    assert [(row["valid_to"], row["billable"]) for row in await owner.fetch(both)] == [(eve, True), (None, False)]


async def test_a_release_is_corrected_by_itself(owner: asyncpg.Connection) -> None:
    """What it should not have had is withdrawn, what it should not have lacked is in force again, without a gap."""
    await store(owner, rows("A00", "A01"), FIRST)
    await store(owner, rows("A00", "A02"), SECOND)
    corrected = [rows("A00")[0]._replace(description="Better"), *rows("A01")]
    report = await store(owner, corrected, SECOND)
    assert report == Report(rows=2, added=1, changed=1, retired=0, withdrawn=1)
    assert (await row_of(owner, "A00"))["description"] == "Better"
    assert (await row_of(owner, "A01"))["valid_to"] is None
    assert await owner.fetchval("SELECT deleted_at IS NOT NULL FROM icd10_codes WHERE code = 'A02'")
    assert (await store(owner, [*corrected, *rows("A02")], SECOND)).added == 1
    assert (await row_of(owner, "A02"))["valid_from"] == SECOND


async def test_a_selection_takes_nothing_away(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """Of what it lacks nothing is said: neither that it is gone, nor that a heading has nothing below it."""
    await store(owner, [*rows("A00.0", "A01"), rows("A00")[0]._replace(billable=False)], FIRST)
    await owner.execute("UPDATE icd10_codes SET parent = 'A00' WHERE code = 'A00.0'")
    path = csv_file(tmp_path, "code,description\nA00,Cholera\nA02,New\n")
    report = await of_csv(owner, path, SECOND, whole=False)
    assert report == Report(rows=2, added=1, changed=1, retired=0)
    assert not (await row_of(owner, "A00"))["billable"]
    assert (await row_of(owner, "A01"))["valid_to"] is None
    assert (await row_of(owner, "A02"))["valid_from"] == SECOND
    stored = await owner.fetch("SELECT whole FROM code_releases ORDER BY effective_from")
    assert [row["whole"] for row in stored] == [True, True], "a whole set stays one"
    before = await contents(owner)
    assert (await of_csv(owner, csv_file(tmp_path, "code,description\nA00,Cholera\n"), SECOND, whole=False)).nothing
    assert await contents(owner) == before


async def test_selections_before_the_whole(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """What only a source of that name brought goes with it; the whole has had all its codes from the start."""
    head = "code,description\n"
    await of_csv(owner, csv_file(tmp_path, head + "A00,Cholera\nA01,Typhoid\n"), FIRST, whole=False)
    await store(owner, rows("A01"), FIRST, whole=False)
    await of_csv(owner, csv_file(tmp_path, head + "A00,Cholera\nA02,Salmonella\n"), SECOND, whole=False)
    report = await of_csv(owner, csv_file(tmp_path, head + "A00,Cholera\n"), SECOND, whole=False)
    assert (report.retired, report.withdrawn) == (0, 1)
    assert [
        r["code"] for r in await owner.fetch("SELECT code FROM icd10_codes WHERE deleted_at IS NULL ORDER BY 1")
    ] == [
        "A00",
        "A01",
    ]
    assert not await owner.fetchval("SELECT bool_or(whole) FROM code_releases")
    report = await store(owner, rows("A00", "A02", "A03"), THIRD)
    assert (report.added, report.retired, report.withdrawn) == (2, 1, 0)
    assert [(await row_of(owner, code))["valid_from"] for code in ("A00", "A02", "A03")] == [SINCE] * 3
    assert await owner.fetchval("SELECT whole FROM code_releases ORDER BY created_at DESC LIMIT 1")


async def test_the_whole_is_noted_where_nothing_else_changes(owner: asyncpg.Connection) -> None:
    await store(owner, rows("A00"), FIRST, whole=False)
    assert (await store(owner, rows("A00"), FIRST)).nothing
    assert (await store(owner, rows("A00"), FIRST)).nothing
    stored = await owner.fetch("SELECT whole FROM code_releases ORDER BY created_at")
    assert [row["whole"] for row in stored] == [False, True]


async def test_a_selection_makes_no_other_diagnosis_unknown(
    owner: asyncpg.Connection, import_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the command: without `--whole` a CSV judges nothing, with it everything."""
    for name, value in environment_of(import_database).items():
        monkeypatch.setenv(name, value)
    path = csv_file(tmp_path, "code,description,billable\nA00,Cholera,no\n")
    given = ["--csv", str(path), "--effective", FIRST.isoformat()]
    reader = cast("Any", Reading(owner))
    for more, told in (([], (None, None)), (["--whole"], (CodeFault.NOT_BILLABLE, CodeFault.UNKNOWN))):
        assert await asyncio.to_thread(main, [*given, *more]) == 0
        codes = await extract_icd10(reader, ["A00", "B99"])
        assert (codes.fault("A00", SECOND), codes.fault("B99", SECOND)) == told


async def test_what_a_source_does_not_say_stays(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """An order file knows no inclusion terms and no blocks."""
    heading = Icd10Row(1, "A00-A09", "block", "Intestinal infections", billable=False, chapter="1")
    code = Icd10Row(2, "A00", "code", "Cholera", None, ["Asiatic cholera"], True, "A00", "1", "A00-A09")
    await store(owner, [heading, code], FIRST)
    report = await of_order_file(owner, order_file(tmp_path, [("A00", "1", "Chol", "Cholera")]), SECOND)
    assert report == Report(rows=1, added=0, changed=1, retired=0)
    row = await row_of(owner, "A00")
    assert (row["inclusion_terms"], row["parent"], row["short_description"]) == (["Asiatic cholera"], "A00-A09", "Chol")
    assert (await row_of(owner, "A00-A09"))["valid_to"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("code,description\nA00,Cholera\nA0,Too short\n", "line 3: not an ICD-10-CM code"),
        ("code,description\nA00,Cholera\n\nA01,\n", "line 4: no description"),
        ("code,description\nA00,Cholera\nA00.,Again\n", "line 3: not an ICD-10-CM code"),
        ("code,description\nA000,Cholera\nA00.0,Again\n", "line 3: A00.0 stands in the file twice"),
        ("code,description\nA00,Cholera,more\n", "line 2: 3 fields instead of 2"),
        ("code,description,billable\nA00,Cholera,maybe\n", "line 2: billable is neither yes nor no"),
        ("code,description,parent\nA00,Cholera,B99\n", "line 2: A00 has a parent that is nowhere"),
        ('code,description\nA00,"Chol"era\n', "line 2: "),
        ("code,description\nA00,Chol\0era\n", "line 2: has a NUL"),
        ("code,description,inclusion_terms\nA00,Cholera,a\x07b\n", "line 2: inclusion_terms has more"),
        (f"code,description,inclusion_terms\nA00,Cholera,{'x' * 4001}\n", "line 2: inclusion_terms has more"),
        (f"code,description,chapter\nA00,Cholera,{'x' * 11}\n", "line 2: a field is too long"),
        (f"code,description,short_description\nA00,Cholera,{'x' * 101}\n", "line 2: a field is too long"),
        ("code,description,parent\nA00,Cholera,a00\n", "line 2: A00 is its own parent"),
        ("code,description,parent\nA000,Cholera,A00.0\n", "line 2: A00.0 is its own parent"),
        ("code,what\nA00,Cholera\n", "the first line must name the columns"),
        ("code,description\n", "no codes"),
        ("", "the first line must name the columns"),
    ],
)
async def test_a_bad_csv_changes_nothing(owner: asyncpg.Connection, tmp_path: Path, text: str, told: str) -> None:
    await store(owner, rows("A00", "A01"), FIRST)
    before = await contents(owner)
    with pytest.raises(BadRelease, match=told):
        await of_csv(owner, csv_file(tmp_path, text), SECOND)
    assert await contents(owner) == before


async def test_a_bad_order_file_changes_nothing(owner: asyncpg.Connection, tmp_path: Path) -> None:
    """All refused lines are counted, with their numbers; one that is not UTF-8 too."""
    path = order_file(tmp_path)
    path.write_bytes(path.read_bytes() + b"00006 A0 1\n00007 A010    2 x\n00008 A011    1 caf\xe9\n")
    with pytest.raises(BadRelease) as refused:
        await of_order_file(owner, path, FIRST)
    assert [line.strip() for line in str(refused.value).splitlines()] == [
        "icd10cm_order_2027.txt: 3 lines refused",
        "line 6: not a line of an order file",
        "line 7: not a line of an order file",
        "line 8: not UTF-8",
    ]
    assert await contents(owner) == []


async def test_releases_come_in_their_order(owner: asyncpg.Connection) -> None:
    await store(owner, rows("A00"), SECOND)
    before = await contents(owner)
    with pytest.raises(BadRelease, match="is newer"):
        await store(owner, rows("A00", "A01"), FIRST)
    assert await contents(owner) == before


async def test_a_truncated_release_is_refused_unless_it_is_meant(owner: asyncpg.Connection, tmp_path: Path) -> None:
    await store(owner, rows(*(f"A{number:02}" for number in range(100))), FIRST)
    before = await contents(owner)
    half = csv_file(tmp_path, "code,description\n" + "".join(f"A{n:02},Description of A{n:02}\n" for n in range(40)))
    with pytest.raises(BadRelease, match="lacks 60 of the 100 codes in force"):
        await of_csv(owner, half, SECOND)
    assert await contents(owner) == before
    assert (await of_csv(owner, half, SECOND, allow_retiring=True)).retired == 60


async def test_two_imports_at_once_end_as_one(owner: asyncpg.Connection, import_database: TestDatabase) -> None:
    others = [await asyncpg.connect(import_database.owner) for _ in range(2)]
    reports = await asyncio.gather(*(store(other, rows("A00", "A01"), FIRST) for other in others))
    for other in others:
        await other.close()
    assert sorted(report.added for report in reports) == [0, 2]
    assert await owner.fetchval("SELECT count(*) FROM icd10_codes") == 2


async def test_the_app_may_only_read(import_database: TestDatabase, owner: asyncpg.Connection) -> None:
    await store(owner, rows("A00"), FIRST)
    app = await asyncpg.connect(import_database.app)
    try:
        for statement in (
            "UPDATE icd10_codes SET billable = false",
            "DELETE FROM code_releases",
            "UPDATE rxnorm_concepts SET suppressed = true",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
        assert await app.fetchval("SELECT count(*) FROM icd10_codes") == 1
    finally:
        await app.close()


@given(text=st.text(max_size=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_readers_take_any_text(text: str, tmp_path: Path) -> None:
    """A line is a row or a refusal; nothing else happens."""
    path = tmp_path / "any"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (read_csv, read_order_file):
        refusals = Refusals()
        try:
            found = list(read(path, Source("any"), refusals))
        except BadRelease:
            continue
        assert len({row.code for row in found}) == len(found)
        assert all(row.description and row.code == dotted(row.code) for row in found)


@pytest.mark.parametrize(
    ("code", "chapter"),
    [
        ("A00", "1"),
        ("D49", "2"),
        ("D50", "3"),
        ("H59", "7"),
        ("H60", "8"),
        ("T88", "19"),
        ("U07", "22"),
        ("V00", "20"),
        ("Y99", "20"),
        ("Z00", "21"),
        ("QA0", "17"),
    ],
)
def test_chapters_follow_from_codes(code: str, chapter: str) -> None:
    assert chapter_of(code) == chapter


def test_chapters_are_those_of_the_package(shipped: list[Icd10Row]) -> None:
    assert [row.code for row in shipped if row.category and row.chapter != chapter_of(row.code)] == []
    assert shipped_set().effective_from == dt.date(2026, 4, 1)


def environment_of(database: TestDatabase) -> dict[str, str]:
    """What the command reads to find it."""
    return {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database.app,
        "MIGRATION_DATABASE_URL": database.owner,
        "SYSTEM_DATABASE_URL": database.system,
    }


def test_the_command_says_why_nothing_was_imported(
    owner: asyncpg.Connection,
    import_database: TestDatabase,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment_of(import_database).items():
        monkeypatch.setenv(name, value)
    assert main(["--csv", str(tmp_path / "absent.csv"), "--effective", "2026-10-01"]) == 1
    assert main(["--csv", str(csv_file(tmp_path, "code,description\nA00,Cholera\n"))]) == 1
    assert main(["--shipped", "--whole"]) == 1
    told = capsys.readouterr().err
    assert "--whole is said of a CSV" in told
    assert "absent.csv" in told and "--effective is missing" in told


@pytest.mark.long
def test_the_whole_package_loads_in_little_memory(
    owner: asyncpg.Connection, import_database: TestDatabase, shipped: list[Icd10Row]
) -> None:
    """Through the command, twice; the numbers are the package's own."""
    run = (
        "import sys; from pathlib import Path; from scripts.import_icd10 import main; code = main(['--shipped']);"
        " print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]); sys.exit(code)"
    )
    environment = environment_of(import_database) | {"PATH": "/usr/bin:/bin"}
    codes = sum(row.category is not None for row in shipped)
    billable = sum(bool(row.billable) for row in shipped)
    for added in (len(shipped), 0):
        done = subprocess.run(
            [sys.executable, "-c", run], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        told, kilobytes = done.stdout.strip().splitlines()
        assert f"{added:,} added, 0 changed, 0 retired" in told
        assert f"In force: {codes:,} codes, {billable:,} of them billable." in told
        assert int(kilobytes) < 300 * 1024


def test_the_sample_is_a_part_of_the_set(shipped: list[Icd10Row]) -> None:
    assert 300 < len(part_of(shipped)) < 3000
