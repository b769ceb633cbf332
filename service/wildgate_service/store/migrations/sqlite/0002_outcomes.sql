-- What an outcome says beyond its kind, and corrections: an outcome is never changed, another replaces it.

ALTER TABLE outcomes ADD COLUMN restrictions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE outcomes ADD COLUMN ground TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE outcomes ADD COLUMN corrects TEXT NOT NULL DEFAULT '';
ALTER TABLE outcomes ADD COLUMN reference TEXT NOT NULL DEFAULT '';
ALTER TABLE outcomes ADD COLUMN items INTEGER NOT NULL DEFAULT 1;
ALTER TABLE outcomes ADD COLUMN misuse TEXT NOT NULL DEFAULT 'none';
ALTER TABLE outcomes ADD COLUMN authority TEXT NOT NULL DEFAULT '';
ALTER TABLE outcomes ADD COLUMN restricted_until INTEGER;
ALTER TABLE outcomes ADD COLUMN account_type TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE outcomes ADD COLUMN territories TEXT NOT NULL DEFAULT '[]';

CREATE INDEX outcomes_by_corrected ON outcomes (tenant, corrects);
CREATE INDEX outcomes_by_decision ON outcomes (tenant, decision_id);
CREATE INDEX outcomes_by_time ON outcomes (occurred_time);

-- Outcomes that count: neither corrected nor withdrawn. Of several corrections of one outcome the one recorded last counts.
CREATE VIEW outcomes_in_force AS
SELECT o.* FROM outcomes AS o
WHERE o.kind <> 'withdrawn'
AND NOT EXISTS (
    SELECT 1 FROM outcomes AS c WHERE c.tenant = o.tenant AND c.corrects = o.outcome_id
)
AND NOT (
    o.corrects <> '' AND EXISTS (
        SELECT 1 FROM outcomes AS c
        WHERE c.tenant = o.tenant AND c.corrects = o.corrects
        AND (c.recorded_time, c.outcome_id) > (o.recorded_time, o.outcome_id)
    )
);
