-- A store has as many logs as writers had to write at once; an SQLite store has log 0. A position is the number of a log (24 bits) before the
-- place in that log (40 bits), so those of log 0 are what they were.

CREATE TABLE logs (
    number INTEGER PRIMARY KEY,
    log_id TEXT NOT NULL UNIQUE
);

INSERT INTO logs SELECT 0, value FROM meta WHERE key = 'log_id';
DELETE FROM meta WHERE key = 'log_id';

-- A group begins where the one before it ended: of two writers that append to one log the second is refused.
CREATE UNIQUE INDEX log_by_first_position ON log (first_position);

-- Each writer counts for itself.
CREATE TABLE daily_counts_by_log (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    facets INTEGER NOT NULL REFERENCES facets (id),
    log INTEGER NOT NULL REFERENCES logs (number),
    decisions INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, facets, log)
) WITHOUT ROWID;

INSERT INTO daily_counts_by_log SELECT tenant, day, facets, 0, decisions FROM daily_counts;
DROP TABLE daily_counts;
ALTER TABLE daily_counts_by_log RENAME TO daily_counts;
