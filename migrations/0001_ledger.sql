-- The ledger: every event of every tenant, and the rows an append needs beside them.
--
-- `tenant_id` leads every key, so that tenants can be placed apart, moved or deleted alone. Text keys collate "C":
-- byte order is all that is asked of them, and it doubles the rate of appends. Payloads are `json`, not `jsonb`: they
-- are kept byte for byte, also where `jsonb` would refuse them.

CREATE SCHEMA ledger;

CREATE TABLE ledger.events (
    tenant_id       uuid        NOT NULL,
    position        bigint      NOT NULL CHECK (position > 0),
    aggregate_type  text        COLLATE "C" NOT NULL,
    aggregate_id    text        COLLATE "C" NOT NULL,
    sequence        bigint      NOT NULL CHECK (sequence > 0),
    event_type      text        COLLATE "C" NOT NULL,
    event_version   text        COLLATE "C" NOT NULL,
    payload         json        NOT NULL,
    metadata        json        NOT NULL,
    idempotency_key text        COLLATE "C",
    occurred_at     timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    payload_hash    bytea       NOT NULL,
    hash            bytea       NOT NULL,
    erased_at       timestamptz,
    PRIMARY KEY (tenant_id, aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_position UNIQUE (tenant_id, position)
);

CREATE UNIQUE INDEX events_idempotency_key ON ledger.events (tenant_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- The newest position and hash of each tenant. Locked and moved by every append, which is what makes positions
-- gapless and their order the order of commits. Nearly empty pages keep those updates in place (HOT).
CREATE TABLE ledger.heads (
    tenant_id     uuid   NOT NULL PRIMARY KEY,
    head_position bigint NOT NULL,
    head_hash     bytea  NOT NULL
) WITH (fillfactor = 10);

-- Names that only one living thing of a tenant may hold, with the position of the event that took each.
CREATE TABLE ledger.claims (
    tenant_id uuid   NOT NULL,
    name      text   COLLATE "C" NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- A cache of states, so that a long stream need not be read from its start.
CREATE TABLE ledger.snapshots (
    tenant_id      uuid   NOT NULL,
    aggregate_type text   COLLATE "C" NOT NULL,
    aggregate_id   text   COLLATE "C" NOT NULL,
    sequence       bigint NOT NULL,
    form           text   COLLATE "C" NOT NULL,
    state          json   NOT NULL,
    PRIMARY KEY (tenant_id, aggregate_type, aggregate_id)
);

-- Events are never changed or removed. The one exception is erasure, which a session must ask for by name, and which
-- may only blank the payload: its hash stays, so the chain still verifies.
CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RAISE EXCEPTION 'the ledger is append-only: % on ledger.events is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON ledger.events
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER events_stay BEFORE DELETE OR TRUNCATE ON ledger.events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
-- Also for sessions that call themselves replicas, which skip ordinary triggers.
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_stay_as_they_are;
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_stay;

-- The ledger as a stock `postgres_es::PostgresEventRepository` expects it. It knows no tenants, so the tenant leads
-- the aggregate's id; it wants the event tagged with its name, and metadata whose values are all text.
CREATE VIEW public.events AS
SELECT
    aggregate_type,
    tenant_id::text || '/' || aggregate_id AS aggregate_id,
    sequence,
    event_type,
    event_version,
    json_build_object(event_type, payload) AS payload,
    json_build_object(
        'tenant', tenant_id::text,
        'position', position::text,
        'actor', (metadata -> 'actor')::text,
        'family', metadata ->> 'family',
        'correlation_id', metadata ->> 'correlation_id',
        'causation', coalesce(metadata ->> 'causation', ''),
        'occurred_at', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ) AS metadata
FROM ledger.events;
