-- Listings drawn by chance for a moderator's look, what was found there, and daily counts of decisions.

ALTER TABLE outcomes ADD COLUMN taxon_group TEXT NOT NULL DEFAULT '';

DROP VIEW decisions_with_facets;

CREATE TABLE facets_with_sampling (
    id INTEGER PRIMARY KEY,
    content_kind TEXT NOT NULL,
    market TEXT NOT NULL,
    language TEXT NOT NULL,
    action TEXT NOT NULL,
    shadow_action TEXT NOT NULL,
    shadow INTEGER NOT NULL,
    taxon_groups TEXT NOT NULL,
    appendices TEXT NOT NULL,
    lexicon_version TEXT NOT NULL,
    model_version TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    degraded_reasons TEXT NOT NULL,
    sampled INTEGER NOT NULL,
    sampling_rate REAL NOT NULL,
    UNIQUE (
        content_kind, market, language, action, shadow_action, shadow, taxon_groups, appendices,
        lexicon_version, model_version, policy_version, degraded_reasons, sampled, sampling_rate
    )
);

INSERT INTO facets_with_sampling SELECT *, 0, 0.0 FROM facets;
DROP TABLE facets;
ALTER TABLE facets_with_sampling RENAME TO facets;

CREATE VIEW decisions_with_facets AS
SELECT
    d.decision_id, d.tenant, d.request_id, d.listing_id, d.position, d.score,
    strftime('%Y-%m-%dT%H:%M:%fZ', d.decided_time / 1e6, 'unixepoch') AS decided,
    f.content_kind, f.market, f.language, f.action, f.shadow_action, f.shadow, f.taxon_groups,
    f.appendices, f.lexicon_version, f.model_version, f.policy_version, f.degraded_reasons,
    f.sampled, f.sampling_rate
FROM decisions AS d INNER JOIN facets AS f ON d.facets = f.id;

-- How many decisions of a day (days since 1970, UTC) have the same facets, counted in the transaction that appends them.
CREATE TABLE daily_counts (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    facets INTEGER NOT NULL REFERENCES facets (id),
    decisions INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, facets)
) WITHOUT ROWID;

INSERT INTO daily_counts
SELECT tenant, decided_time / 86400000000, facets, count(*) FROM decisions GROUP BY 1, 2, 3;

-- With the time in it, it serves the view outcomes_in_force alone; else SQLite read all outcomes of the tenant for each correction.
DROP INDEX outcomes_by_corrected;
CREATE INDEX outcomes_by_corrected ON outcomes (tenant, corrects, recorded_time);
