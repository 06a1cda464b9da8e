"""The statements of the PostgreSQL store. Tables are named with their schema: no search path is relied on."""

from functools import lru_cache

FEW = 8

APPEND = "INSERT INTO {schema}.records (run_id, seq, body, writer) VALUES "
APPEND_MANY = """
    WITH added AS (
        INSERT INTO {schema}.records (run_id, seq, body, writer)
        SELECT run_id, seq, body, $4::bigint FROM unnest($1::text[], $2::bigint[], $3::text[])
            AS new (run_id, seq, body)
    )
    INSERT INTO {schema}.runs AS old (run_id, workflow, status, started_at, next_due, seq, summary)
    SELECT * FROM unnest(
        $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[]
    )
    ON CONFLICT (run_id) DO UPDATE SET workflow = excluded.workflow, status = excluded.status,
        started_at = excluded.started_at, next_due = excluded.next_due,
        seq = CASE WHEN excluded.summary IS NULL THEN old.seq ELSE excluded.seq END,
        summary = coalesce(excluded.summary, old.summary)
"""
ADD_ROWS = """
    INSERT INTO {schema}.runs (run_id, workflow, status, started_at, next_due, seq, summary)
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]
    )
    ON CONFLICT DO NOTHING
"""
# Not over that of somebody who has appended since.
SAVE = """
    UPDATE {schema}.runs SET seq = $2::bigint, summary = $3::text, status = coalesce($4::text, status)
    WHERE run_id = $1::text AND seq <= $2::bigint RETURNING 1
"""
FOUND = """
    SELECT seq, writer, body FROM {schema}.records WHERE run_id = $1::text AND seq > $2::bigint
    ORDER BY seq LIMIT $3::bigint
"""
LAST = "SELECT coalesce(max(seq), 0) FROM {schema}.records WHERE run_id = $1::text"
TAILS = """
    SELECT wanted.run_id, last.seq FROM unnest($1::text[]) AS wanted (run_id) CROSS JOIN LATERAL
        (SELECT max(seq) AS seq FROM {schema}.records WHERE records.run_id = wanted.run_id) AS last
    WHERE last.seq IS NOT NULL
"""
LOAD = """
    SELECT seq, body FROM {schema}.records WHERE run_id = $1::text AND seq > $2::bigint
    ORDER BY seq LIMIT $3::bigint
"""
STORED = "SELECT run_id, summary FROM {schema}.runs WHERE run_id = $1::text"
# A join would be planned as one with the whole table.
AFTER = """
    SELECT wanted.run_id, later.seq, later.body
    FROM unnest($1::text[], $2::bigint[]) AS wanted (run_id, after) CROSS JOIN LATERAL (
        SELECT seq, body FROM {schema}.records
        WHERE records.run_id = wanted.run_id AND records.seq > wanted.after ORDER BY seq OFFSET 0
    ) AS later
"""
_LIST = """
    SELECT run_id, summary, started_at FROM {schema}.runs
    WHERE ($1::text[] IS NULL OR status = ANY ($1)) AND ($2::text IS NULL OR workflow = $2)
        AND ($3::bigint IS NULL OR (started_at, run_id) < ($3, $4::text COLLATE "C"))
        AND ($5::bigint IS NULL OR started_at > $5) AND ($6::bigint IS NULL OR started_at < $6)
        AND ($7::text IS NULL OR run_id ILIKE $7 OR workflow ILIKE $7 OR summary IS NULL OR summary ILIKE $7)
    ORDER BY started_at DESC, run_id DESC LIMIT $8::bigint
"""
DOWNWARDS, UPWARDS = _LIST, _LIST.replace("<", ">", 1).replace(" DESC", "")
COUNTS = "SELECT status, count(*) FROM {schema}.runs GROUP BY status"
# Whatever is committed after one snapshot is in progress, or to come, in that one alone.
PULSE = "SELECT txid_current_snapshot()::text"
DUE = """
    SELECT run_id, summary FROM {schema}.runs WHERE next_due < $1::bigint AND status IN ('running', 'waiting')
"""
WITHOUT_ROW = """
    SELECT run_id, NULL FROM {schema}.records
    WHERE seq = 1 AND NOT EXISTS (SELECT 1 FROM {schema}.runs WHERE runs.run_id = records.run_id)
"""
DELIVER = """
    INSERT INTO {schema}.inbox (run_id, n, path, event, payload, at, token)
    SELECT $1::text, coalesce(max(n), 0) + 1, $2::text, $3::text, $4::text, $5::bigint, $6::bigint
    FROM {schema}.inbox WHERE run_id = $1::text
    RETURNING n
"""
DELIVERED = "SELECT n FROM {schema}.inbox WHERE run_id = $1::text AND token = $2::bigint"
INBOX = """
    SELECT n, path, event, payload, at FROM {schema}.inbox
    WHERE run_id = $1::text AND n > $2::bigint ORDER BY n
"""
NEWEST = "SELECT coalesce(max(number), 0) FROM {schema}.inbox"
NEWS = """
    SELECT run_id FROM {schema}.inbox WHERE number > $1::bigint
    UNION SELECT run_id FROM {schema}.runs WHERE status = 'pending'
"""
COMPACT = """
    WITH gone AS (
        DELETE FROM {schema}.records USING unnest($2::bigint[], $3::bigint[]) AS span (first, last)
        WHERE run_id = $1::text AND seq BETWEEN span.first AND span.last
    )
    DELETE FROM {schema}.inbox WHERE run_id = $1::text AND n <= $4::bigint
        AND n < (SELECT max(n) FROM {schema}.inbox WHERE run_id = $1::text)
"""
DELETE = """
    WITH records AS (DELETE FROM {schema}.records WHERE run_id = $1::text RETURNING 1),
        runs AS (DELETE FROM {schema}.runs WHERE run_id = $1::text),
        inbox AS (DELETE FROM {schema}.inbox WHERE run_id = $1::text)
    SELECT count(*) FROM records
"""
KEEP = """
    INSERT INTO {schema}.documents (kind, name, body) VALUES ($1::text, $2::text, decode($3::text, 'base64'))
    ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body
"""
KEPT = "SELECT encode(body, 'base64') FROM {schema}.documents WHERE kind = $1::text AND name = $2::text"
ALL_KEPT = "SELECT name, encode(body, 'base64') FROM {schema}.documents WHERE kind = $1::text ORDER BY name"
DROP = "DELETE FROM {schema}.documents WHERE kind = $1::text AND name = $2::text RETURNING 1"
INBOX_TAILS = """
    SELECT run_id, max(n) FROM {schema}.inbox WHERE run_id = ANY ($1::text[]) GROUP BY run_id
"""
INBOX_END = "SELECT max(n) FROM {schema}.inbox WHERE run_id = $1::text"


@lru_cache(FEW)
def append(count: int) -> str:
    """The statement that appends so many records of one run and does nothing else."""
    rows = (f"($1::text, $2::bigint + {n}, ${n + 3}, $3::bigint)" for n in range(1, count + 1))
    return APPEND + ", ".join(rows)


@lru_cache(64)
def of(schema: str, statement: str) -> str:
    """Fill in the schema."""
    return statement.replace("{schema}", schema)
