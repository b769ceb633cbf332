-- Times are microseconds since 1970 UTC. Lists are JSON arrays of strings.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- What reports count by: each combination that occurs, once.
CREATE TABLE facets (
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
    UNIQUE (
        content_kind, market, language, action, shadow_action, shadow, taxon_groups, appendices,
        lexicon_version, model_version, policy_version, degraded_reasons
    )
);

-- One row a decision, in the order of its id, which is the order of time (UUIDv7).
CREATE TABLE decisions (
    decision_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    listing_id TEXT NOT NULL,
    decided_time INTEGER NOT NULL,
    action TEXT NOT NULL,
    score REAL NOT NULL,
    facets INTEGER NOT NULL REFERENCES facets (id),
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX decisions_by_request ON decisions (tenant, request_id);

-- Where a day begins in table decisions, so that a report need not read what lies before.
CREATE TABLE days (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    first_decision_id TEXT NOT NULL,
    PRIMARY KEY (tenant, day)
) WITHOUT ROWID;

-- The chain, one row a group of records committed together: positions first_position to
-- last_position, their commitments (32 bytes each) and the chain hash of the last.
CREATE TABLE log (
    last_position INTEGER PRIMARY KEY,
    first_position INTEGER NOT NULL,
    commitments BLOB NOT NULL,
    chain_hash BLOB NOT NULL
);

-- What the commitments commit to: salts (32 bytes each) and a MessagePack array of payloads.
CREATE TABLE payloads (
    last_position INTEGER PRIMARY KEY REFERENCES log (last_position),
    salts BLOB NOT NULL,
    payloads BLOB NOT NULL
);

-- Positions whose salt and payload were erased.
CREATE TABLE tombstones (
    position INTEGER PRIMARY KEY,
    erased_time INTEGER NOT NULL
);

CREATE TABLE outcomes (
    tenant TEXT NOT NULL,
    outcome_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    means TEXT NOT NULL,
    notice_source TEXT NOT NULL,
    occurred_time INTEGER NOT NULL,
    recorded_time INTEGER NOT NULL,
    degraded_action TEXT NOT NULL,
    degraded_reason TEXT NOT NULL,
    PRIMARY KEY (tenant, outcome_id)
) WITHOUT ROWID;

CREATE TABLE api_keys (
    tenant TEXT NOT NULL,
    key_id TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    scopes TEXT NOT NULL,
    explain TEXT NOT NULL,
    created_time INTEGER NOT NULL,
    expires_time INTEGER,
    revoked_time INTEGER,
    PRIMARY KEY (tenant, key_id)
) WITHOUT ROWID;

-- Decisions with their facets, for people who read the store by hand.
CREATE VIEW decisions_with_facets AS
SELECT
    d.decision_id, d.tenant, d.request_id, d.listing_id, d.position, d.score,
    strftime('%Y-%m-%dT%H:%M:%fZ', d.decided_time / 1e6, 'unixepoch') AS decided,
    f.content_kind, f.market, f.language, f.action, f.shadow_action, f.shadow, f.taxon_groups,
    f.appendices, f.lexicon_version, f.model_version, f.policy_version, f.degraded_reasons
FROM decisions AS d INNER JOIN facets AS f ON d.facets = f.id;
