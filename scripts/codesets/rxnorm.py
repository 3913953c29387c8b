"""One release of RxNorm into rxnorm_concepts and rxnorm_relations, in one transaction."""

from __future__ import annotations

import asyncpg

from scripts.codesets.reading import BadRelease, Refusals, Source
from scripts.codesets.releases import (
    Release,
    Report,
    announce,
    begin,
    count,
    earlier_selections,
    finish,
    require_plausible,
)
from scripts.codesets.rxnorm_sources import ConceptRow, RelationRow, RxNormFiles, StrengthRow

_STAGES = """
CREATE TEMPORARY TABLE names (
  line integer, terminology text, code text, name text, term_type text, suppressed boolean, synonym boolean,
  strength text, ingredients text[], brands text[], synonyms text[]
) ON COMMIT DROP;
CREATE TEMPORARY TABLE relations (line integer, rxcui text, relation text, other text) ON COMMIT DROP;
CREATE TEMPORARY TABLE strengths (line integer, rxcui text, strength text) ON COMMIT DROP
"""
# A concept has one name of a concept type; should a file have several, the one in use, then the first, stands.
_CONCEPTS = """
CREATE TEMPORARY TABLE concepts ON COMMIT DROP AS
SELECT DISTINCT ON (code, terminology) terminology, code, name, term_type, suppressed, strength, ingredients, brands,
  synonyms
FROM names WHERE NOT synonym ORDER BY code, terminology, suppressed, line;
CREATE UNIQUE INDEX ON concepts (code, terminology);
DELETE FROM relations AS r WHERE NOT EXISTS (SELECT FROM concepts AS c WHERE c.code = r.rxcui)
  OR NOT EXISTS (SELECT FROM concepts AS c WHERE c.code = r.other);
CREATE INDEX ON relations (rxcui);
CREATE INDEX ON relations (other);
ANALYZE concepts;
ANALYZE relations
"""
_SYNONYMS = """
UPDATE concepts AS c SET synonyms = found.names
FROM (SELECT n.code, array_agg(DISTINCT n.name ORDER BY n.name) AS names FROM names AS n WHERE n.synonym
      GROUP BY n.code) AS found
WHERE found.code = c.code AND c.terminology = 'rxnorm' AND coalesce(c.synonyms, '{}') = '{}'
"""
_STRENGTHS = """
UPDATE concepts AS c SET strength = found.strength
FROM (SELECT DISTINCT ON (rxcui) rxcui, strength FROM strengths ORDER BY rxcui, line) AS found
WHERE found.rxcui = c.code AND c.terminology = 'rxnorm'
"""
# A clinical drug consists of components, which have ingredients; a branded one is the trade name of a clinical one.
_INGREDIENTS = """
WITH direct AS (
  SELECT r.rxcui, i.name FROM relations AS r JOIN concepts AS i ON i.code = r.other
  WHERE i.term_type IN ('IN', 'PIN', 'MIN')
    AND r.relation IN ('has_ingredient', 'has_ingredients', 'has_precise_ingredient', 'tradename_of')
), found AS (
  SELECT rxcui, name FROM direct
  UNION SELECT r.rxcui, d.name FROM relations AS r JOIN direct AS d ON d.rxcui = r.other
    WHERE r.relation IN ('consists_of', 'contains', 'tradename_of')
  UNION SELECT s.rxcui, d.name FROM relations AS s JOIN relations AS r ON r.rxcui = s.other
    JOIN direct AS d ON d.rxcui = r.other WHERE s.relation = 'tradename_of' AND r.relation = 'consists_of'
)
UPDATE concepts AS c SET ingredients = named.names
FROM (SELECT rxcui, array_agg(name ORDER BY name) AS names FROM found GROUP BY rxcui) AS named
WHERE named.rxcui = c.code AND c.terminology = 'rxnorm' AND coalesce(c.ingredients, '{}') = '{}'
"""
# Brand names that are trade names of an ingredient, and those of the branded drugs that are trade names of a drug.
_BRANDS = """
WITH found AS (
  SELECT r.other AS code, b.name FROM relations AS r JOIN concepts AS b ON b.code = r.rxcui
  WHERE r.relation = 'tradename_of' AND b.term_type = 'BN'
  UNION
  SELECT r.other, b.name FROM relations AS r
  JOIN relations AS h ON h.rxcui = r.rxcui AND h.relation = 'has_ingredient'
  JOIN concepts AS b ON b.code = h.other AND b.term_type = 'BN'
  WHERE r.relation = 'tradename_of'
)
UPDATE concepts AS c SET brands = named.names
FROM (SELECT code, array_agg(name ORDER BY name) AS names FROM found GROUP BY code) AS named
WHERE named.code = c.code AND c.terminology = 'rxnorm' AND coalesce(c.brands, '{}') = '{}'
"""
# What a selection has no column for stays as it is.
_KEEP = """
UPDATE concepts AS s SET term_type = coalesce(s.term_type, c.term_type),
  suppressed = coalesce(s.suppressed, c.suppressed), strength = coalesce(s.strength, c.strength),
  ingredients = coalesce(s.ingredients, c.ingredients), brands = coalesce(s.brands, c.brands),
  synonyms = coalesce(s.synonyms, c.synonyms)
FROM rxnorm_concepts AS c WHERE c.code = s.code AND c.terminology = s.terminology AND c.deleted_at IS NULL
"""
_COMPLETE = """
UPDATE concepts SET suppressed = coalesce(suppressed, false), ingredients = coalesce(ingredients, '{}'),
  brands = coalesce(brands, '{}'), synonyms = coalesce(synonyms, '{}')
"""
_HELD = """
SELECT count(*) FROM rxnorm_concepts WHERE retired_on IS NULL AND deleted_at IS NULL AND terminology = 'rxnorm'
"""
_CHANGE = """
UPDATE rxnorm_concepts AS c SET release_id = $1, name = s.name, term_type = s.term_type, suppressed = s.suppressed,
  strength = s.strength, synonyms = s.synonyms, ingredients = s.ingredients, brands = s.brands, updated_at = now()
FROM concepts AS s
WHERE c.code = s.code AND c.terminology = s.terminology AND c.retired_on IS NULL AND c.deleted_at IS NULL
  AND (c.name, c.term_type, c.suppressed, c.strength, c.synonyms, c.ingredients, c.brands) IS DISTINCT FROM
    (s.name, s.term_type, s.suppressed, s.strength, s.synonyms, s.ingredients, s.brands)
"""
_ADD = """
INSERT INTO rxnorm_concepts AS c (release_id, terminology, code, name, term_type, suppressed, strength, synonyms,
  ingredients, brands)
SELECT $1, terminology, code, name, term_type, suppressed, strength, synonyms, ingredients, brands FROM concepts
ON CONFLICT (code, terminology) DO UPDATE SET release_id = excluded.release_id, name = excluded.name,
  term_type = excluded.term_type, suppressed = excluded.suppressed, strength = excluded.strength,
  synonyms = excluded.synonyms, ingredients = excluded.ingredients, brands = excluded.brands,
  retired_on = NULL, deleted_at = NULL, updated_at = now()
WHERE c.retired_on IS NOT NULL OR c.deleted_at IS NOT NULL
"""
# RRF says nothing about what RxNorm has no code for.
_RETIRE = """
UPDATE rxnorm_concepts AS c SET release_id = $1, retired_on = $2, updated_at = now()
WHERE c.retired_on IS NULL AND c.deleted_at IS NULL AND c.terminology = 'rxnorm'
  AND NOT EXISTS (SELECT FROM concepts AS s WHERE s.code = c.code AND s.terminology = c.terminology)
"""
_WITHDRAW = """
UPDATE rxnorm_concepts AS c SET release_id = $1, deleted_at = now(), updated_at = now()
WHERE c.deleted_at IS NULL AND c.release_id = ANY($2::uuid[])
  AND c.created_at IN (SELECT created_at FROM code_releases WHERE id = ANY($2::uuid[]))
  AND NOT EXISTS (SELECT FROM concepts AS s WHERE s.code = c.code AND s.terminology = c.terminology)
"""
_ADD_RELATIONS = """
INSERT INTO rxnorm_relations AS r (release_id, rxcui, relation, other)
SELECT DISTINCT $1::uuid, rxcui, relation, other FROM relations
ON CONFLICT (rxcui, relation, other) DO UPDATE SET
  release_id = excluded.release_id, deleted_at = NULL, updated_at = now()
WHERE r.deleted_at IS NOT NULL
"""
_DROP_RELATIONS = """
UPDATE rxnorm_relations AS r SET release_id = $1, deleted_at = now(), updated_at = now()
WHERE r.deleted_at IS NULL AND NOT EXISTS (
  SELECT FROM relations AS s WHERE s.rxcui = r.rxcui AND s.relation = r.relation AND s.other = r.other)
"""
# $3: whether the source tells relations, or only those of what it no longer has are gone.
_WITHDRAW_RELATIONS = """
UPDATE rxnorm_relations AS c SET release_id = $1, deleted_at = now(), updated_at = now()
WHERE c.deleted_at IS NULL AND c.release_id = ANY($2::uuid[])
  AND c.created_at IN (SELECT created_at FROM code_releases WHERE id = ANY($2::uuid[]))
  AND ($3 OR NOT EXISTS (SELECT FROM concepts AS s WHERE s.code = c.rxcui))
  AND NOT EXISTS (
    SELECT FROM relations AS s WHERE s.rxcui = c.rxcui AND s.relation = c.relation AND s.other = c.other)
"""


async def import_rxnorm(
    connection: asyncpg.Connection,
    release: Release,
    source: Source,
    files: RxNormFiles,
    *,
    allow_retiring: bool = False,
) -> Report:
    """Import one release. Raises BadRelease, naming lines; then nothing has changed.

    What a whole release lacks is retired from its day on. A selection retires nothing: until the whole is loaded, it
    withdraws what earlier selections of its source alone brought.
    """
    async with connection.transaction():
        standing = await begin(connection, release)
        rows = await _stage(connection, source, files)
        release_id = await announce(connection, release, source, whole=files.whole or standing.whole)
        held = await connection.fetchval(_HELD)
        retired = withdrawn = unrelated = 0
        if files.whole:
            retired = await count(connection, _RETIRE, release_id, release.effective_from)
            unrelated = await count(connection, _DROP_RELATIONS, release_id)
        elif not standing.whole:
            own = await earlier_selections(connection, release, source)
            withdrawn = await count(connection, _WITHDRAW, release_id, own)
            unrelated = await count(connection, _WITHDRAW_RELATIONS, release_id, own, files.relates)
        require_plausible(retired + withdrawn, held, allowed=allow_retiring)
        changed = await count(connection, _CHANGE, release_id)
        added = await count(connection, _ADD, release_id)
        related = await count(connection, _ADD_RELATIONS, release_id)
        report = Report(rows, added, changed, retired, withdrawn, related, unrelated)
        await finish(connection, release_id, report, completes=files.whole and not standing.whole)
    if not report.nothing:
        await connection.execute("ANALYZE rxnorm_concepts; ANALYZE rxnorm_relations")
    return report


async def _stage(connection: asyncpg.Connection, source: Source, files: RxNormFiles) -> int:
    """Stage the release and count its concepts. Raises BadRelease for refused lines and files without concepts."""
    refusals = Refusals()
    await connection.execute(_STAGES)
    for table, records, row in (
        ("names", files.concepts(source, refusals), ConceptRow),
        ("relations", files.relations(source, refusals), RelationRow),
        ("strengths", files.strengths(source, refusals), StrengthRow),
    ):
        await connection.copy_records_to_table(table, records=records, columns=list(row._fields))
    refusals.require_none(source.name)
    await connection.execute(_CONCEPTS)
    for statement in (_SYNONYMS, _STRENGTHS, _INGREDIENTS, _BRANDS):
        await connection.execute(statement)
    if not files.whole:
        await connection.execute(_KEEP)
    await connection.execute(_COMPLETE)
    rows: int = await connection.fetchval("SELECT count(*) FROM concepts")
    if rows == 0:
        raise BadRelease(f"{source.name}: no concepts")
    return rows
