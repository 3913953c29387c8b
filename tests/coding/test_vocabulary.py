"""An agency's own terms: who edits them, what they do to lookups, and that they stay its own."""

from __future__ import annotations

import threading
import tracemalloc
import uuid
from collections.abc import Iterable
from typing import Any

import asyncpg
import httpx
import pytest

from app.coding.lookup.shipped import shipped_terms
from app.coding.search.vocabulary import Term, Vocabulary
from app.coding.vocabulary.schemas import CodeDomain
from app.coding.vocabulary.service import MOST_TERMS
from app.core.config import Settings
from tests.core.evidence import audit_of, checksum
from tests.support.actors import Agency, found_agency

pytestmark = pytest.mark.usefixtures("loaded")
TERM: dict[str, Any] = {"say": "code 7", "means": ["hypothermia"], "domains": ["icd10"]}
VOCABULARY = "coding/vocabulary"


async def first(agency: Agency, q: str, domain: str = "icd10") -> str | None:
    answer = await agency.medic.expect(200, "GET", f"coding/{domain}", params={"q": q})
    if not answer["items"]:
        return None
    best: dict[str, str] = answer["items"][0]
    return best.get("code") or best["name"]


async def test_a_term_works_at_once_and_for_its_agency_only(
    coders: Agency, coding_client: httpx.AsyncClient, coding_settings: Settings
) -> None:
    other = await found_agency(coding_client, coding_settings)
    assert await first(coders, "code 7") != "T68.XXXA"
    await coders.admin.expect(201, "POST", VOCABULARY, json=TERM)
    assert await first(coders, "code 7") == await first(coders, "CODE-7!") == "T68.XXXA"
    assert await first(other, "code 7") != "T68.XXXA"
    assert (await other.admin.expect(200, "GET", VOCABULARY))["items"] == []


async def test_a_term_replaces_the_shipped_one_until_it_is_deleted(coders: Agency) -> None:
    assert await first(coders, "sob") == "R06.02"
    body = {"say": "S.O.B.", "means": ["hypothermia"], "boost": ["t68xxxa"], "domains": ["icd10"]}
    term = await coders.admin.expect(201, "POST", VOCABULARY, json=body)
    assert await first(coders, "s.o.b.") == "T68.XXXA"
    assert await first(coders, "sob") == "R06.02", "other words, another term"
    patched = await coders.admin.expect(
        200, "PATCH", f"{VOCABULARY}/{term['id']}", json={"version": 1, "say": "sob", "means": [], "boost": []}
    )
    assert await first(coders, "sob") != "R06.02", "the agency has taken it away"
    await coders.admin.expect(204, "DELETE", f"{VOCABULARY}/{term['id']}?version={patched['version']}")
    assert await first(coders, "sob") == "R06.02"
    restored = await coders.admin.expect(
        200, "POST", f"{VOCABULARY}/{term['id']}/restore", json={"version": patched["version"] + 1}
    )
    assert restored["deleted_at"] is None and await first(coders, "sob") != "R06.02"


async def test_a_term_is_for_the_domains_that_it_names(coders: Agency) -> None:
    await coders.admin.expect(
        201, "POST", VOCABULARY, json={"say": "blue juice", "means": ["naloxone"], "domains": ["rxnorm"]}
    )
    assert await first(coders, "blue juice", "rxnorm") == "naloxone"


async def test_one_term_for_the_same_words(coders: Agency) -> None:
    term = await coders.admin.expect(201, "POST", VOCABULARY, json=TERM)
    await coders.admin.expect(409, "POST", VOCABULARY, json={**TERM, "say": "CODE 7"})
    second = await coders.admin.expect(201, "POST", VOCABULARY, json={**TERM, "say": "code 8"})
    await coders.admin.expect(409, "PATCH", f"{VOCABULARY}/{second['id']}", json={"version": 1, "say": "code  7"})
    await coders.admin.expect(204, "DELETE", f"{VOCABULARY}/{term['id']}?version=1")
    await coders.admin.expect(200, "PATCH", f"{VOCABULARY}/{second['id']}", json={"version": 1, "say": "code 7"})
    await coders.admin.expect(409, "POST", f"{VOCABULARY}/{term['id']}/restore", json={"version": 2})


async def test_a_repeated_request_makes_one_term(coders: Agency) -> None:
    key = {"Idempotency-Key": "one"}
    made = await coders.admin.expect(201, "POST", VOCABULARY, json=TERM, headers=key)
    again = await coders.admin.expect(201, "POST", VOCABULARY, json=TERM, headers=key)
    assert made == again
    assert len((await coders.admin.expect(200, "GET", VOCABULARY))["items"]) == 1


@pytest.mark.parametrize("who", ["medic", "biller", "founder", "supervisor"])
async def test_only_administrators_edit_it(coders: Agency, coding_admin: asyncpg.Connection, who: str) -> None:
    term = await coders.admin.expect(201, "POST", VOCABULARY, json=TERM)
    before = await checksum(coding_admin, coders.tenant_id)
    actor, path = coders.actors[who], f"{VOCABULARY}/{term['id']}"
    await actor.expect(403, "POST", VOCABULARY, json={**TERM, "say": "code 9"})
    await actor.expect(403, "GET", VOCABULARY)
    await actor.expect(403, "GET", path)
    await actor.expect(403, "PATCH", path, json={"version": 1, "say": "x"})
    await actor.expect(403, "DELETE", f"{path}?version=1")
    await actor.expect(403, "POST", f"{path}/restore", json={"version": 1})
    assert await checksum(coding_admin, coders.tenant_id) == before


async def test_another_agencys_term_does_not_exist(
    coders: Agency, coding_client: httpx.AsyncClient, coding_settings: Settings, coding_admin: asyncpg.Connection
) -> None:
    other = await found_agency(coding_client, coding_settings)
    term = await other.admin.expect(201, "POST", VOCABULARY, json=TERM)
    before = await checksum(coding_admin, other.tenant_id)
    for term_id in (term["id"], str(uuid.uuid4())):
        path = f"{VOCABULARY}/{term_id}"
        answers = [
            await coders.admin.request("GET", path),
            await coders.admin.request("PATCH", path, json={"version": 1, "say": "x"}),
            await coders.admin.request("DELETE", f"{path}?version=1"),
            await coders.admin.request("POST", f"{path}/restore", json={"version": 1}),
        ]
        assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(404, "NOT_FOUND")}
    assert await checksum(coding_admin, other.tenant_id) == before


async def test_every_change_is_audited(coders: Agency, coding_admin: asyncpg.Connection) -> None:
    term = await coders.admin.expect(201, "POST", VOCABULARY, json=TERM)
    await coders.admin.expect(200, "PATCH", f"{VOCABULARY}/{term['id']}", json={"version": 1, "means": ["chest pain"]})
    await coders.admin.expect(409, "PATCH", f"{VOCABULARY}/{term['id']}", json={"version": 1, "means": ["x"]})
    await coders.admin.expect(204, "DELETE", f"{VOCABULARY}/{term['id']}?version=2")
    events = await audit_of(coding_admin, uuid.UUID(term["id"]))
    assert [event["action"] for event in events] == [
        "vocabulary_term.added",
        "vocabulary_term.revised",
        "vocabulary_term.deleted",
    ]
    assert events[1]["changed_fields_json"] == {"means": [["hypothermia"], ["chest pain"]]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"say": "!!!"},
        {"say": ""},
        {"means": ["?"]},
        {"means": ["x"] * 11},
        {"boost": ["R07;9"]},
        {"domains": []},
        {"domains": ["cpt"]},
        {"extra": 1},
    ],
)
async def test_what_will_not_do_is_refused(
    coders: Agency, coding_admin: asyncpg.Connection, wrong: dict[str, Any]
) -> None:
    before = await checksum(coding_admin, coders.tenant_id)
    await coders.admin.expect(422, "POST", VOCABULARY, json={**TERM, **wrong})
    assert await checksum(coding_admin, coders.tenant_id) == before


async def test_an_agency_has_two_thousand_terms_at_most(
    coders: Agency, coding_admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are found by, and read beside the event loop; one more is refused, added or restored."""
    made_on = set()

    class Noted(Vocabulary):
        def __init__(self, terms: Iterable[Term], base: Vocabulary | None = None) -> None:
            made_on.add(threading.get_ident())
            super().__init__(terms, base)

    monkeypatch.setattr("app.coding.lookup.book.Vocabulary", Noted)
    old = await coders.admin.expect(201, "POST", VOCABULARY, json=TERM)
    await coders.admin.expect(204, "DELETE", f"{VOCABULARY}/{old['id']}?version=1")
    await coding_admin.execute(
        "INSERT INTO vocabulary_terms"
        " (id, tenant_id, say, spoken, means, boost, domains, version, created_at, updated_at) SELECT"
        " gen_random_uuid(), $1, 'plan ' || n, 'plan ' || n, '[\"hypothermia\"]', '[]', '[\"icd10\"]', 1,"
        " now(), now() FROM generate_series(2, $2::integer) AS n",
        coders.tenant_id,
        MOST_TERMS,
    )
    last = await coders.admin.expect(201, "POST", VOCABULARY, json={**TERM, "say": "plan 1"})
    assert await first(coders, "plan 1") == await first(coders, f"plan {MOST_TERMS}") == "T68.XXXA"
    assert await first(coders, "sob") == "R06.02"
    assert made_on and threading.get_ident() not in made_on
    before = await checksum(coding_admin, coders.tenant_id)
    refused = await coders.admin.expect(409, "POST", VOCABULARY, json=TERM)
    assert refused["error"]["code"] == "LIMIT_REACHED" and "2,000" in refused["error"]["message"]
    await coders.admin.expect(409, "POST", f"{VOCABULARY}/{old['id']}/restore", json={"version": 2})
    assert await checksum(coding_admin, coders.tenant_id) == before
    await coders.admin.expect(204, "DELETE", f"{VOCABULARY}/{last['id']}?version=1")
    await coders.admin.expect(200, "POST", f"{VOCABULARY}/{old['id']}/restore", json={"version": 2})


def test_own_terms_stand_on_the_shipped_ones() -> None:
    """Replaced, taken away, misspelt: as in one vocabulary, without another copy of the shipped one."""
    shipped = shipped_terms(CodeDomain.ICD10)
    own = [Term("sob", means=("hypothermia",)), Term("fx"), Term("zzyzx", means=("cold",)), Term("a b c d e f g h i")]
    tracemalloc.start()
    layered = Vocabulary(own, base=shipped)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000
    sob, alone = layered.find(["sob"]), layered.find(["chf"])
    assert sob is not None and sob.meanings == (("hypothermia",),)
    assert layered.find(["fx"]) is None and shipped.find(["fx"]) is not None
    assert alone is not None and alone is shipped.find(["chf"])
    assert [segment.tokens for segment in layered.divide(["zzyzx", "chf", "fx"])] == [("zzyzx",), ("chf",), ("fx",)]
    assert layered.says("zzyzx") and layered.says("chf") and not shipped.says("zzyzx")
    assert layered.nearest("zzyzxx")[1] == "zzyzx"
    assert layered.nearest("sezure")[1] == shipped.nearest("sezure")[1] is not None
