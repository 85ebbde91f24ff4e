-- A rebuild that is under way when somebody is forgotten reads of it in the ledger. One that is killed before it does
-- would keep what it had read until somebody resumes it: so it is noted, and begun anew instead.
CREATE TABLE outbound.generations_to_forget (
    tenant_id uuid        PRIMARY KEY,
    asked_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE outbound.generations_to_forget IS 'Tenants of which somebody was forgotten while read models were being built.';
COMMENT ON COLUMN outbound.generations_to_forget.asked_at IS 'When somebody was forgotten last.';

CREATE OR REPLACE FUNCTION read_models.forget_generations(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS name FROM pg_class c
         WHERE c.relnamespace = 'read_models_before'::regnamespace AND c.relkind = 'r' AND c.relname <> 'cursors'
    LOOP
        EXECUTE format('DELETE FROM %s WHERE tenant_id = $1', found.name) USING tenant;
    END LOOP;
    INSERT INTO outbound.generations_to_forget AS g (tenant_id) VALUES (tenant)
        ON CONFLICT (tenant_id) DO UPDATE SET asked_at = excluded.asked_at;
    PERFORM read_models.forget_unfinished();
END
$$;

-- Called by every server now and then, and when somebody is forgotten.
CREATE FUNCTION read_models.forget_unfinished() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    -- Who builds holds this lock; here it is held until the transaction ends.
    IF NOT EXISTS (SELECT FROM outbound.generations_to_forget)
        OR NOT pg_try_advisory_xact_lock(7163082359995458663) THEN
        RETURN;
    END IF;
    FOR found IN
        SELECT c.oid::regclass AS name FROM pg_class c
         WHERE c.relnamespace = 'read_models_next'::regnamespace AND c.relkind = 'r'
           AND c.relname NOT IN ('cursors', 'counters')
    LOOP
        EXECUTE format('DROP TABLE %s', found.name);
    END LOOP;
    DELETE FROM read_models_next.counters;
    DELETE FROM read_models_next.cursors;
    DELETE FROM outbound.generations_to_forget;
END
$$;
COMMENT ON FUNCTION read_models.forget_unfinished IS 'Drops what an unfinished rebuild may know of somebody who was forgotten while it was under way.';
