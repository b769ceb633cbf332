-- What tenants may ask for, where the operator says otherwise than the settings (NULL: as they say; 0: no limit), and how much of the score a key shows.

CREATE TABLE tenant_limits (
    tenant TEXT COLLATE "C" PRIMARY KEY,
    per_second DOUBLE PRECISION,
    burst BIGINT,
    per_day BIGINT
);

ALTER TABLE api_keys ADD COLUMN score TEXT COLLATE "C" NOT NULL DEFAULT 'exact';
