-- Taxa (pairs of group and scientific name) and views, of the decisions in which something was found: each combination once. Decisions recorded before this
-- version have none, and `findings_from` is the first position that may.

CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    species TEXT NOT NULL,
    views TEXT NOT NULL,
    UNIQUE (species, views)
);

CREATE TABLE found (
    decision_id TEXT PRIMARY KEY,
    findings INTEGER NOT NULL REFERENCES findings (id)
) WITHOUT ROWID;

INSERT INTO meta (key, value) SELECT 'findings_from', coalesce(max(last_position), 0) + 1 FROM log;
