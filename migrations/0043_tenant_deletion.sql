-- Deleting a tenant whole: the one way in which events are removed. A session must name the tenant for it, and nothing
-- of a tenant that is being deleted is recorded any more, whoever still knows of it.

CREATE TABLE ledger.deletions (
    tenant_id uuid        NOT NULL PRIMARY KEY,
    asked_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ledger.deletions IS 'Tenants that are being deleted: their ledgers have no head and get none. Empty otherwise.';
COMMENT ON COLUMN ledger.deletions.asked_at IS 'Since when.';

-- An append to a ledger without a head makes one; that is where a tenant that is being deleted would come back. Servers
-- hear of it as of a database that is away, for the seconds in which they still know the tenant.
CREATE FUNCTION ledger.refuse_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger.deletions d WHERE d.tenant_id = NEW.tenant_id) THEN
        RAISE EXCEPTION 'the tenant is being deleted' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER heads_of_no_deleted_tenant BEFORE INSERT ON ledger.heads
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_deleted();

CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('chatledger.erasure', true) = 'on' THEN
        IF NEW.erased_at IS NOT NULL
            AND (NEW.tenant_id, NEW.position, NEW.aggregate_type, NEW.aggregate_id, NEW.sequence, NEW.event_type,
                 NEW.event_version, NEW.metadata::text, NEW.idempotency_key, NEW.occurred_at, NEW.recorded_at,
                 NEW.payload_hash, NEW.hash)
            IS NOT DISTINCT FROM
                (OLD.tenant_id, OLD.position, OLD.aggregate_type, OLD.aggregate_id, OLD.sequence, OLD.event_type,
                 OLD.event_version, OLD.metadata::text, OLD.idempotency_key, OLD.occurred_at, OLD.recorded_at,
                 OLD.payload_hash, OLD.hash)
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'erasure may only blank payload and set erased_at' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('chatledger.deleted_tenant', true) <> '' THEN
        -- The statement may begin; each row is looked at.
        IF TG_LEVEL = 'STATEMENT' THEN
            RETURN NULL;
        ELSIF OLD.tenant_id::text = current_setting('chatledger.deleted_tenant')
            AND EXISTS (SELECT FROM ledger.deletions d WHERE d.tenant_id = OLD.tenant_id)
        THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: % on ledger.events is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER events_stay_there BEFORE DELETE ON ledger.events
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_stay_there;
