"""coding/icd10 and coding/rxnorm over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.coding.icd10.index import ICD10, ICD10_BOOK, SUGGESTED
from app.coding.lookup.book import CodeBook
from app.core.config import Settings
from app.core.errors import ServiceUnavailable
from app.core.runtime import Runtime
from app.main import create_app
from app.registry import CODE_BOOKS
from tests.architecture.queries import counted
from tests.coding.sample import ADDED, RETIRED
from tests.support.actors import Actor, Agency, found_agency

pytestmark = pytest.mark.usefixtures("loaded")
IMPRESSIONS = SUGGESTED["impression"]
IN_SUMMER, IN_WINTER = "2026-07-01", "2026-12-01"


async def found(actor: Actor, q: str, **params: Any) -> list[str]:
    answer = await actor.expect(200, "GET", "coding/icd10", params={"q": q, "as_of": IN_SUMMER, **params})
    return [item["code"] for item in answer["items"]]


@pytest.mark.parametrize("who", ["admin", "medic", "biller", "founder", "supervisor"])
async def test_every_role_looks_codes_up(coders: Agency, who: str) -> None:
    actor = coders.actors[who]
    assert (await found(actor, "sob"))[0] == "R06.02"
    drugs = await actor.expect(200, "GET", "coding/rxnorm", params={"q": "narcan"})
    assert drugs["items"][0]["name"] == "naloxone"


async def test_nobody_looks_up_unsigned(coding_client: Any) -> None:
    for path in ("icd10?q=x", "icd10/I21", "rxnorm?q=x", "rxnorm/7242", "vocabulary"):
        await Actor(coding_client).expect(401, "GET", f"coding/{path}")


async def test_an_answer_shows_what_a_client_needs(coders: Agency) -> None:
    answer = await coders.medic.expect(200, "GET", "coding/icd10", params={"q": "i21.3", "as_of": IN_SUMMER})
    assert answer == {
        "release": "2026-10-01",
        "items": [
            {
                "code": "I21.3",
                "description": "ST elevation (STEMI) myocardial infarction of unspecified site",
                "billable": True,
                "valid_from": "2015-10-01",
                "valid_to": None,
                "suggested_for": ["impression", "symptom"],
            }
        ],
    }


async def test_filters(coders: Agency) -> None:
    medic = coders.medic
    everything = await found(medic, "chest pain", limit=100)
    billable, headings = await found(medic, "chest pain", billable=True), await found(medic, "R07", billable=False)
    assert "R07.8" in everything and "R07.8" not in billable and "R07.9" in billable
    assert headings[0] == "R07" and "R07.9" not in headings
    assert all(code.startswith("R07") for code in await found(medic, "pain", category="r07", limit=100))
    suggested = await found(medic, "chest pain", suggested_for="impression", limit=100)
    assert "R07.9" in suggested and all(any(code.startswith(one) for one in IMPRESSIONS) for code in suggested)
    assert (await found(medic, "fall", suggested_for="cause_of_injury", billable=True))[0] == "W19.XXXA"
    assert suggested and len(suggested) < len(everything)
    assert len(await found(medic, "pain", limit=2)) == 2


async def test_a_code_is_found_only_while_it_is_valid(coders: Agency) -> None:
    """As of a day before, on the last day, and from the day on which the next release takes effect."""
    for day, codes in (
        (IN_SUMMER, {RETIRED: True, ADDED: False}),
        ("2026-09-30", {RETIRED: True, ADDED: False}),
        ("2026-10-01", {RETIRED: False, ADDED: True}),
        ("2015-09-30", {RETIRED: False, "I21.3": False}),
    ):
        for code, there in codes.items():
            assert (await found(coders.biller, code, as_of=day) == [code]) is there, (day, code)
    retired = await coders.biller.expect(200, "GET", f"coding/icd10/{RETIRED}", params={"as_of": IN_WINTER})
    assert (retired["valid"], retired["valid_to"]) == (False, "2026-09-30")


@pytest.mark.parametrize("typed", ["I21.3", "i213"])
async def test_a_code_with_its_place(coders: Agency, typed: str) -> None:
    code = await coders.medic.expect(200, "GET", f"coding/icd10/{typed}", params={"as_of": IN_SUMMER})
    assert [(line["kind"], line["code"]) for line in code["ancestors"]] == [
        ("chapter", "9"),
        ("block", "I20-I25"),
        ("code", "I21"),
    ]
    assert code["children"] == [] and code["billable"] and code["valid"] and code["category"] == "I21"
    assert "Transmural (Q wave) myocardial infarction NOS" in code["inclusion_terms"]
    assert code["release"]["source"] == "a sample" and code["release"]["effective_from"] == "2026-10-01"


async def test_headings_show_what_is_below_them(coders: Agency) -> None:
    block = await coders.medic.expect(200, "GET", "coding/icd10/I20-I25")
    assert [line["code"] for line in block["children"]] == ["I20", "I21"]
    chapter = await coders.medic.expect(200, "GET", "coding/icd10/9")
    assert chapter["ancestors"] == [] and "I20-I25" in [line["code"] for line in chapter["children"]]
    before = await coders.medic.expect(200, "GET", "coding/icd10/R07.8", params={"as_of": IN_SUMMER})
    after = await coders.medic.expect(200, "GET", "coding/icd10/R07.8", params={"as_of": IN_WINTER})
    below = [{line["code"] for line in heading["children"]} for heading in (before, after)]
    assert (below[0] - below[1], below[1] - below[0]) == ({RETIRED}, {ADDED})


async def test_unknown_codes(coders: Agency) -> None:
    await coders.medic.expect(404, "GET", "coding/icd10/I21.77")
    await coders.medic.expect(404, "GET", "coding/rxnorm/999999999")
    await coders.medic.expect(422, "GET", "coding/icd10/I21;x")
    await coders.medic.expect(422, "GET", "coding/rxnorm/abc")


async def test_brand_and_ingredient_find_each_other(coders: Agency) -> None:
    for typed, name in (
        ("narc", "naloxone"),
        ("zofran", "ondansetron"),
        ("NALOXONE", "naloxone"),
        ("versed", "midazolam"),
    ):
        answer = await coders.medic.expect(200, "GET", "coding/rxnorm", params={"q": typed})
        assert answer["items"][0]["name"] == name, typed
    naloxone = await coders.medic.expect(200, "GET", "coding/rxnorm/7242")
    assert "Narcan" in naloxone["brands"] and naloxone["suggested"] and naloxone["snomed"] is None
    duoneb = await coders.medic.expect(200, "GET", "coding/rxnorm/214199")
    assert ("has_ingredient", "435", "albuterol") in {
        (one["relation"], one["rxcui"], one["name"]) for one in duoneb["related"]
    }


async def test_what_rxnorm_has_no_code_for_is_found_by_snomed(coders: Agency) -> None:
    answer = await coders.medic.expect(200, "GET", "coding/rxnorm", params={"q": "whole bl"})
    blood = answer["items"][0]
    assert (blood["name"], blood["rxcui"], blood["snomed"]) == ("whole blood", None, "33389009")
    again = await coders.medic.expect(200, "GET", "coding/rxnorm/33389009")
    assert again["name"] == "whole blood" and again["related"] == []


@pytest.mark.parametrize(
    "path", ["coding/icd10?q=chest+pain", "coding/rxnorm?q=narcan", "coding/icd10/I21.3", "coding/rxnorm/7242"]
)
async def test_an_unchanged_answer_is_not_sent_again(coders: Agency, path: str) -> None:
    first = await coders.medic.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache" and first.headers["vary"] == "Authorization"
    for given in (tag, f'"other", W/{tag}', "*"):
        again = await coders.medic.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await coders.medic.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("path", ["coding/icd10/Q99.99", "coding/rxnorm/999999999"])
async def test_what_nobody_has_is_missing_whatever_tag_is_given(coders: Agency, path: str) -> None:
    assert (await coders.medic.get(path, headers={"If-None-Match": "*"})).status_code == 404


async def test_a_change_of_the_vocabulary_changes_the_tag(coders: Agency) -> None:
    """Of this agency only."""
    path = "coding/icd10?q=chest+pain"
    tag = (await coders.medic.get(path)).headers["etag"]
    term = await coders.admin.expect(201, "POST", "coding/vocabulary", json={"say": "code 7", "means": ["chest pain"]})
    changed = await coders.medic.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["etag"] != tag
    await coders.admin.expect(204, "DELETE", f"coding/vocabulary/{term['id']}?version=1")
    assert (await coders.medic.get(path)).headers["etag"] not in (tag, changed.headers["etag"])


async def test_a_query_costs_one_statement(coders: Agency, coding_runtime: Runtime) -> None:
    """Beside BEGIN and COMMIT: the state of release and vocabulary."""
    await found(coders.medic, "sob")
    async with counted(coding_runtime.database) as statements:
        await found(coders.medic, "fx l wrist")
    assert len(statements) == 3


async def test_a_newer_release_is_served_without_a_restart(
    coders: Agency, coding_runtime: Runtime, coding_admin: Any
) -> None:
    """The query that notices is answered by the old one; the tag says which."""
    book = coding_runtime.gateways.get(ICD10_BOOK)
    before = await book.refresh()
    release = await coding_admin.fetchval(
        "INSERT INTO code_releases (code_system, release, effective_from, source, sha256, report)"
        " VALUES ('icd10cm', 'next', '2027-04-01', 'x', 'x', '{}') RETURNING id"
    )
    try:
        await found(coders.medic, "sob")
        assert book._loading is not None
        assert (await book._loading).release_id == release != before.release_id
        answer = await coders.medic.get("coding/icd10?q=sob")
        assert answer.json()["release"] == "next" and str(release) in answer.headers["etag"]
    finally:
        await coding_admin.execute("DELETE FROM code_releases WHERE id = $1", release)


@pytest.mark.parametrize("yields", [0, 1, 5, 20, 100])
async def test_a_process_that_ends_early_leaves_no_connection(coding_settings: Settings, yields: int) -> None:
    """While it connects or loads: the warning of an open connection fails whichever test comes next."""
    application = create_app(coding_settings.model_copy(update={"run_jobs": False}))
    runtime: Runtime = application.state.runtime
    async with application.router.lifespan_context(application):
        books = [runtime.gateways.get(book) for book in CODE_BOOKS]
        for _ in range(yields):
            await asyncio.sleep(0)
    assert all(book._loading is not None and book._loading.done() for book in books)
    assert runtime.database.checked_out() == 0


async def test_agencies_share_no_tag(coders: Agency, coding_client: Any, coding_settings: Settings) -> None:
    """A browser that two of them use may not take the answer of one for the other's."""
    other = await found_agency(coding_client, coding_settings)
    tag = (await coders.medic.get("coding/icd10?q=sob")).headers["etag"]
    answer = await other.medic.get("coding/icd10?q=sob", headers={"If-None-Match": tag})
    assert answer.status_code == 200 and answer.headers["etag"] != tag


@pytest.mark.parametrize(
    "q", ["%", "_", "'", '"', "\x00", "the of and", "%' OR 1=1 --", "🚑", "ß" * 300, " " * 300, "", "a " * 150]
)
async def test_odd_queries_are_answered(coders: Agency, q: str) -> None:
    for path in ("coding/icd10", "coding/rxnorm"):
        answer = await coders.medic.expect(200, "GET", path, params={"q": q})
        assert len(answer["items"]) <= 20


async def test_too_long_a_query_is_refused(coders: Agency) -> None:
    for path in ("coding/icd10", "coding/rxnorm"):
        answer = await coders.medic.expect(422, "GET", path, params={"q": "x" * 10_000})
        assert "xxx" not in str(answer)
        await coders.medic.expect(422, "GET", path)
        await coders.medic.expect(422, "GET", path, params={"q": "x", "limit": 101})


async def expect_to_close(book: CodeBook, moments: int) -> None:
    """After so many turns of the event loop."""
    loading = book.start()
    for _ in range(moments):
        await asyncio.sleep(0)
    await asyncio.wait_for(book.close(), 10)
    assert loading.done()


@pytest.mark.parametrize("moments", [0, 1, 20])
async def test_a_book_closes_whatever_its_load_is_at(
    coding_runtime: Runtime, monkeypatch: pytest.MonkeyPatch, moments: int
) -> None:
    """Also when the database is away, and no connection will ever be there."""
    book = CodeBook(coding_runtime.database, ICD10)
    await expect_to_close(book, moments)

    async def away() -> Any:
        raise ServiceUnavailable

    monkeypatch.setattr(coding_runtime.database, "acquire", away)
    await expect_to_close(book, moments)
