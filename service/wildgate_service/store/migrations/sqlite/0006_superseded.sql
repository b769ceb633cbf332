-- Decisions that were answered while the store was out of reach, on requests that had been recorded before: the earlier record stands, and outcomes
-- that name the later decision are about it.

CREATE TABLE superseded (
    tenant TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    standing_id TEXT NOT NULL,
    PRIMARY KEY (tenant, decision_id)
);
