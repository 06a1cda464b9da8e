"""The statements of the store in a SQLite file."""

from flopod.backends import rows
from flopod.backends.schema import LAST_SEQ, SEQ_BITS

RECORDS = rows.Insert("INSERT INTO records (place, body)", 2)
LOGS = rows.Insert(
    "INSERT INTO logs (run_id)",
    1,
    "ON CONFLICT (run_id) DO UPDATE SET run_id = run_id RETURNING number, run_id",
)
HAVE_LOG = "SELECT run_id FROM logs WHERE run_id IN (SELECT value FROM json_each(?))"
LAST = "SELECT max(place) FROM records WHERE place >= ? AND place < ?"
# A subquery looks at the end of a log; a join would go over all of it.
TAILS = f"""
    SELECT run_id, last & {LAST_SEQ} FROM (
        SELECT run_id, (
            SELECT max(place) FROM records
            WHERE place > number << {SEQ_BITS} AND place < (number + 1) << {SEQ_BITS}
        ) AS last
        FROM logs WHERE run_id IN (SELECT value FROM json_each(?))
    ) WHERE last IS NOT NULL
"""
LOAD = """
    SELECT place, CAST(body AS BLOB) FROM records WHERE place > ? AND place < ? ORDER BY place LIMIT ?
"""
DELIVER = """
    INSERT INTO inbox (run_id, n, path, event, payload, at)
    SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5 FROM inbox WHERE run_id = ?1
    RETURNING n
"""
INBOX_TAILS = """
    SELECT run_id, max(n) FROM inbox WHERE run_id IN (SELECT value FROM json_each(?)) GROUP BY run_id
"""
TAKEN = """
    DELETE FROM inbox WHERE run_id = ?1 AND n <= ?2 AND n < (SELECT max(n) FROM inbox WHERE run_id = ?1)
"""
COUNTS = "SELECT status, count(*) FROM runs GROUP BY status"
DUE = "SELECT run_id, started_at FROM runs WHERE next_due < ? AND status IN ('running', 'waiting')"
NEWS = """
    SELECT run_id FROM inbox WHERE number > ? UNION SELECT run_id FROM runs WHERE status = 'pending'
"""
KEEP = """
    INSERT INTO documents (kind, name, body) VALUES (?, ?, ?)
    ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body
"""
KEPT = "SELECT body FROM documents WHERE kind = ? AND name = ?"
WITHOUT_HEADLINE = "SELECT run_id FROM logs WHERE run_id NOT IN (SELECT run_id FROM runs)"
