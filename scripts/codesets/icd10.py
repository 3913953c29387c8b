"""One release of ICD-10-CM into icd10_codes: staged by COPY, compared and merged in SQL, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import asyncpg

from app.coding.icd10.models import IN_FORCE_SINCE
from scripts.codesets.icd10_sources import Icd10Row
from scripts.codesets.reading import BadRelease, Refusals, Source
from scripts.codesets.releases import (
    Release,
    Report,
    Standing,
    announce,
    begin,
    count,
    earlier_selections,
    finish,
    require_plausible,
)

Reader = Callable[[Source, Refusals], Iterator[Icd10Row]]

_STAGE = """
CREATE TEMPORARY TABLE stage (
  line integer, code text, kind text, description text, short_description text, inclusion_terms text[],
  billable boolean, category text, chapter text, parent text
) ON COMMIT DROP
"""
_PREPARE = """
ALTER TABLE stage ADD COLUMN compact text GENERATED ALWAYS AS (replace(code, '.', '')) STORED;
CREATE UNIQUE INDEX ON stage (compact);
ANALYZE stage
"""
# The longest other code that it begins with; a category keeps the block that an earlier release put it in.
_PARENTS = """
UPDATE stage AS s SET parent = coalesce(
  (SELECT p.code FROM generate_series(length(s.compact) - 1, 3, -1) AS n
   JOIN stage AS p ON p.compact = left(s.compact, n)
   WHERE p.kind = 'code' ORDER BY n DESC LIMIT 1),
  (SELECT c.parent FROM icd10_codes AS c WHERE c.compact = s.compact AND c.deleted_at IS NULL
   ORDER BY c.valid_from DESC LIMIT 1))
WHERE s.parent IS NULL AND s.kind = 'code'
"""
# $1: a selection does not have all that stands below a code; the codes in force tell the rest.
_BILLABLE = """
UPDATE stage AS s SET billable = NOT EXISTS (SELECT FROM stage AS p WHERE p.parent = s.code)
  AND NOT ($1 AND EXISTS (SELECT FROM icd10_codes AS c
    WHERE c.parent = s.code AND c.valid_to IS NULL AND c.deleted_at IS NULL))
WHERE s.billable IS NULL
"""
_ORPHANS = """
SELECT s.line, s.code FROM stage AS s WHERE s.parent IS NOT NULL
  AND NOT EXISTS (SELECT FROM stage AS p WHERE p.code = s.parent)
  AND NOT EXISTS (SELECT FROM icd10_codes AS c WHERE c.code = s.parent AND c.deleted_at IS NULL)
ORDER BY s.line
"""
_HELD = "SELECT count(*) FROM icd10_codes WHERE kind = 'code' AND valid_to IS NULL AND deleted_at IS NULL"
# Whether a code may stand on a claim has its dates: what the release makes a heading was billable until the day before.
_PART = """
UPDATE icd10_codes AS c SET release_id = $1, valid_to = $2::date - 1, updated_at = now() FROM stage AS s
WHERE c.compact = s.compact AND c.valid_to IS NULL AND c.deleted_at IS NULL AND c.valid_from < $2::date
  AND c.billable <> s.billable
"""
# What the source does not say stays as it is.
_CHANGE = """
UPDATE icd10_codes AS c SET
  release_id = $1, description = s.description, billable = s.billable, kind = s.kind, code = s.code,
  short_description = coalesce(s.short_description, c.short_description),
  inclusion_terms = coalesce(s.inclusion_terms, c.inclusion_terms),
  category = coalesce(s.category, c.category), chapter = coalesce(s.chapter, c.chapter),
  parent = coalesce(s.parent, c.parent), updated_at = now()
FROM stage AS s
WHERE c.compact = s.compact AND c.valid_to IS NULL AND c.deleted_at IS NULL
  AND (c.code, c.description, c.billable, c.kind, c.short_description, c.inclusion_terms, c.category, c.chapter,
       c.parent) IS DISTINCT FROM
    (s.code, s.description, s.billable, s.kind, coalesce(s.short_description, c.short_description),
     coalesce(s.inclusion_terms, c.inclusion_terms), coalesce(s.category, c.category),
     coalesce(s.chapter, c.chapter), coalesce(s.parent, c.parent))
"""
_REOPEN = """
UPDATE icd10_codes AS c SET release_id = $1, valid_to = NULL, updated_at = now() FROM stage AS s
WHERE c.compact = s.compact AND c.valid_to = $2::date - 1 AND c.deleted_at IS NULL AND NOT EXISTS (
  SELECT FROM icd10_codes AS o WHERE o.compact = s.compact AND o.valid_to IS NULL AND o.deleted_at IS NULL)
"""
_ADD = """
INSERT INTO icd10_codes AS c (release_id, code, compact, kind, description, short_description, inclusion_terms,
  billable, category, chapter, parent, valid_from)
SELECT $1, s.code, s.compact, s.kind, s.description, coalesce(s.short_description, b.short_description),
  coalesce(s.inclusion_terms, b.inclusion_terms, '{}'), s.billable, coalesce(s.category, b.category),
  coalesce(s.chapter, b.chapter), coalesce(s.parent, b.parent), $2
FROM stage AS s LEFT JOIN LATERAL (
  SELECT * FROM icd10_codes AS o WHERE o.compact = s.compact AND o.deleted_at IS NULL
  ORDER BY o.valid_from DESC LIMIT 1) AS b ON true
WHERE NOT EXISTS (
  SELECT FROM icd10_codes AS o WHERE o.compact = s.compact AND o.valid_to IS NULL AND o.deleted_at IS NULL)
ON CONFLICT (compact, valid_from) DO UPDATE SET
  release_id = excluded.release_id, code = excluded.code, kind = excluded.kind, description = excluded.description,
  short_description = excluded.short_description, inclusion_terms = excluded.inclusion_terms,
  billable = excluded.billable, category = excluded.category, chapter = excluded.chapter, parent = excluded.parent,
  valid_to = NULL, deleted_at = NULL, updated_at = now()
"""
# Codes only: no file but the package's has the headings above them.
_WITHDRAW = """
UPDATE icd10_codes AS c SET release_id = $1, deleted_at = now(), updated_at = now()
WHERE c.kind = 'code' AND c.valid_to IS NULL AND c.deleted_at IS NULL AND c.valid_from >= $2::date
  AND NOT EXISTS (SELECT FROM stage AS s WHERE s.compact = c.compact)
"""
_RETIRE = """
UPDATE icd10_codes AS c SET release_id = $1, valid_to = $2::date - 1, updated_at = now()
WHERE c.kind = 'code' AND c.valid_to IS NULL AND c.deleted_at IS NULL AND c.valid_from < $2::date
  AND NOT EXISTS (SELECT FROM stage AS s WHERE s.compact = c.compact)
"""
_WITHDRAW_OWN = """
UPDATE icd10_codes AS c SET release_id = $1, deleted_at = now(), updated_at = now()
WHERE c.kind = 'code' AND c.valid_to IS NULL AND c.deleted_at IS NULL AND c.release_id = ANY($2::uuid[])
  AND c.created_at IN (SELECT created_at FROM code_releases WHERE id = ANY($2::uuid[]))
  AND NOT EXISTS (SELECT FROM stage AS s WHERE s.compact = c.compact)
"""


async def import_icd10(
    connection: asyncpg.Connection,
    release: Release,
    source: Source,
    read: Reader,
    *,
    whole: bool,
    allow_retiring: bool = False,
) -> Report:
    """Import one release. Raises BadRelease, naming lines; then nothing has changed.

    A code that a whole release lacks is retired on the day before it takes effect, or withdrawn if it is this very
    release that had it. A selection retires nothing: until the whole is loaded, it withdraws what earlier selections
    of its source alone brought. The same release again is a correction of it.
    """
    async with connection.transaction():
        standing = await begin(connection, release)
        rows = await _stage(connection, source, read, whole=whole)
        release_id = await announce(connection, release, source, whole=whole or standing.whole)
        held = await connection.fetchval(_HELD)
        retired = withdrawn = 0
        if whole:
            withdrawn = await count(
                connection, _WITHDRAW, release_id, IN_FORCE_SINCE if standing.first else release.effective_from
            )
            retired = await count(connection, _RETIRE, release_id, release.effective_from)
        elif not standing.whole:
            own = await earlier_selections(connection, release, source)
            withdrawn = await count(connection, _WITHDRAW_OWN, release_id, own)
        require_plausible(withdrawn + retired, held, allowed=allow_retiring)
        added, changed = await _merge(connection, release, release_id, standing)
        report = Report(rows=rows, added=added, changed=changed, retired=retired, withdrawn=withdrawn)
        await finish(connection, release_id, report, completes=whole and not standing.whole)
    if not report.nothing:
        await connection.execute("ANALYZE icd10_codes")
    return report


async def _stage(connection: asyncpg.Connection, source: Source, read: Reader, *, whole: bool) -> int:
    """Stage the release's rows and count them. Raises BadRelease for refused lines, orphans, and an empty file."""
    refusals = Refusals()
    await connection.execute(_STAGE)
    await connection.copy_records_to_table("stage", records=read(source, refusals), columns=list(Icd10Row._fields))
    refusals.require_none(source.name)
    await connection.execute(_PREPARE)
    await connection.execute(_PARENTS)
    await connection.execute(_BILLABLE, not whole)
    for orphan in await connection.fetch(_ORPHANS):
        refusals.add(orphan["line"], f"{orphan['code']} has a parent that is nowhere")
    refusals.require_none(source.name)
    rows: int = await connection.fetchval("SELECT count(*) FROM stage")
    if rows == 0:
        raise BadRelease(f"{source.name}: no codes")
    return rows


async def _merge(
    connection: asyncpg.Connection, release: Release, release_id: uuid.UUID, standing: Standing
) -> tuple[int, int]:
    """Merge the staged rows. The result is how many codes were added, and changed.

    The first whole release, and selections before it, have had their codes since ICD-10-CM came into force: they do
    not say since when.
    """
    since = IN_FORCE_SINCE if standing.first_whole else release.effective_from
    reopened = await count(connection, _REOPEN, release_id, release.effective_from)
    parted = await count(connection, _PART, release_id, since)
    changed = await count(connection, _CHANGE, release_id)
    added = await count(connection, _ADD, release_id, since)
    return added + reopened - parted, changed + parted
