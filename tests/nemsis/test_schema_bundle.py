"""The runner of the official XSD: found where the setting says, safe under threads, and silent about values."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.ems.elements import BUILDS, TARGET_BUILD, load_dictionary
from app.nemsis import schema_bundle
from app.nemsis.document import build_document, serialize
from app.nemsis.findings import FindingSource
from app.nemsis.schema_bundle import SchemaBundle, SchemaUnavailableError
from app.nemsis.tree import UnreadableDocumentError, parse_document
from tests.nemsis.support.charts import document
from tests.nemsis.support.official import SCHEMA_DIR, ems_documents, needs_official_files, parse

VALID = serialize(build_document(document(), load_dictionary()))
SECRET = "Jones"


def damaged(old: str, new: str) -> bytes:
    text = VALID.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize("directory", [None, Path("/nowhere")])
def test_without_the_files_the_bundle_says_so(directory: Path | None) -> None:
    bundle = SchemaBundle(directory)
    assert not bundle.available()
    with pytest.raises(SchemaUnavailableError, match=TARGET_BUILD):
        bundle.validate(parse_document(VALID))


@needs_official_files
def test_each_installed_build_is_available_and_others_are_not() -> None:
    bundle = SchemaBundle(SCHEMA_DIR)
    assert [bundle.available(build) for build in [*BUILDS, "3.4.0"]] == [True, True, False]
    assert bundle.validate(parse_document(VALID)) == []


@needs_official_files
def test_a_schema_is_compiled_once_for_the_whole_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_bundle, "_cache", {})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: SchemaBundle(SCHEMA_DIR).validate(parse_document(VALID)), range(16)))
    assert len(schema_bundle._cache) == 1


@needs_official_files
def test_builds_are_told_apart() -> None:
    bundle = SchemaBundle(SCHEMA_DIR)
    older = parse(ems_documents("ems")[0])
    assert bundle.validate(older, "3.5.1.250403CP1") == []
    (finding,) = bundle.validate(older, TARGET_BUILD)
    assert finding.code == "content"
    assert finding.source is FindingSource.XSD


@needs_official_files
@pytest.mark.parametrize(
    ("data", "element_id", "code"),
    [
        (damaged(">2223001<", f">{SECRET}<"), "eResponse.23", "invalid_value"),
        (damaged(">M12<", f">{SECRET * 10}<"), "eResponse.13", "invalid_value"),
        (damaged("<eResponse.13>M12</eResponse.13>", ""), "eResponse.14", "content"),
        (damaged("<eOutcome>", f"<eOutcome>{SECRET}"), "eOutcome", "unexpected_text"),
        (damaged("<eOutcome>", f'<eOutcome note="{SECRET}">'), "eOutcome", "unexpected_attribute"),
        (damaged('UUID="8a3f1c9e', f'UUID="{SECRET}'), "PatientCareReport", "invalid_value"),
        (damaged("<eArrest.01 ", f"<{SECRET}/><eArrest.01 "), "unknown", "content"),
    ],
)
def test_findings_name_the_place_and_never_the_value(data: bytes, element_id: str, code: str) -> None:
    findings = SchemaBundle(SCHEMA_DIR).validate(parse_document(data))
    assert [(finding.element_id, finding.code) for finding in findings] == [(element_id, code)]
    assert SECRET not in repr(findings)


@needs_official_files
def test_threads_do_not_read_each_others_findings() -> None:
    bundle = SchemaBundle(SCHEMA_DIR)
    documents = [VALID, damaged(">2223001<", ">x<"), damaged("<eResponse.13>M12</eResponse.13>", "")]
    expected = [bundle.validate(parse_document(data)) for data in documents]
    assert [len(findings) for findings in expected] == [0, 1, 1]
    jobs = [index % 3 for index in range(300)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda index: bundle.validate(parse_document(documents[index])), jobs))
    assert results == [expected[index] for index in jobs]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Jones",
        b"<a>Jones",
        b'<!DOCTYPE a [<!ENTITY x "Jones">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://localhost:9/Jones.dtd"><a/>',
        b"<!DOCTYPE a><a/>",
    ],
)
def test_documents_that_are_not_read(data: bytes) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        parse_document(data)
    assert SECRET not in str(caught.value)


def test_an_entity_bomb_is_refused_before_it_grows() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(12))
    with pytest.raises(UnreadableDocumentError):
        parse_document(f"<!DOCTYPE a [{entities}]><a>&e11;</a>".encode())
