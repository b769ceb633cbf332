-- As SQLite's 0006: decisions answered while the store was out of reach, on requests that had been recorded before, and what stands for them.

CREATE TABLE superseded (
    tenant TEXT COLLATE "C" NOT NULL,
    decision_id TEXT COLLATE "C" NOT NULL,
    standing_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, decision_id)
);
