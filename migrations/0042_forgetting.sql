-- Forgetting a contact: its files are noted to be removed in the transaction that blanks its events, so that a crash
-- between the two leaves nothing behind; and the database lets only that through.

CREATE TABLE outbound.removals (
    tenant_id uuid        NOT NULL,
    blob      uuid        NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, blob)
);
COMMENT ON TABLE outbound.removals IS 'Files that were forgotten and whose bytes are still to be removed from the media store.';
COMMENT ON COLUMN outbound.removals.blob IS 'Where the bytes are.';
COMMENT ON COLUMN outbound.removals.asked_at IS 'When the file was forgotten.';

-- Statuses that wait for their message tell of a chat, so that they can be forgotten with it.
ALTER TABLE read_models.message_statuses ADD COLUMN wa_id text COLLATE "C";
COMMENT ON COLUMN read_models.message_statuses.wa_id IS 'The chat that it was told of; null where it was kept before this was kept.';

-- A generation that is being built when somebody is forgotten may have read what is blanked now; one that was begun
-- later has not.
ALTER TABLE read_models_next.cursors ADD COLUMN begun_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN read_models_next.cursors.begun_at IS 'Since when it is being built.';

-- What nobody folds any more cannot learn that somebody was forgotten: the tenant's rows of the generation that was
-- replaced go, and a rebuild that was cut short begins anew. One that is under way reads of it in the ledger.
CREATE FUNCTION read_models.forget_generations(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS name FROM pg_class c
         WHERE c.relnamespace = 'read_models_before'::regnamespace AND c.relkind = 'r' AND c.relname <> 'cursors'
    LOOP
        EXECUTE format('DELETE FROM %s WHERE tenant_id = $1', found.name) USING tenant;
    END LOOP;
    -- Who builds holds this lock; here it is held until the transaction ends.
    IF pg_try_advisory_xact_lock(7163082359995458663) THEN
        FOR found IN
            SELECT c.oid::regclass AS name FROM pg_class c
             WHERE c.relnamespace = 'read_models_next'::regnamespace AND c.relkind = 'r'
               AND c.relname NOT IN ('cursors', 'counters')
        LOOP
            EXECUTE format('DROP TABLE %s', found.name);
        END LOOP;
        DELETE FROM read_models_next.counters;
        DELETE FROM read_models_next.cursors;
    END IF;
END
$$;
COMMENT ON FUNCTION read_models.forget_generations IS 'Drops what generations of read models that do not answer may know of a tenant''s customers.';
