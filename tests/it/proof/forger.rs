//! A forger who owns the database: it takes the guards off, and can compute hashes as well as we can.

use chatledger_domain::TenantId;
use sqlx::{Executor, PgPool};

/// Gives every event of a tenant the hash that follows from what it is now, and the head as well. Written from the
/// README's words, in another language than ours.
const REHASH: &str = "
    CREATE FUNCTION public.field(value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$ SELECT int8send(octet_length(value)::bigint) || convert_to(value, 'UTF8') $$;
    CREATE FUNCTION public.micros(value timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$ SELECT int8send((extract(epoch FROM value) * 1000000)::bigint) $$;
    CREATE FUNCTION public.rehash(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        e record;
        of_payload bytea;
        previous bytea := decode(repeat('00', 32), 'hex');
        last bigint := 0;
    BEGIN
        FOR e IN SELECT * FROM ledger.events WHERE tenant_id = tenant ORDER BY position LOOP
            of_payload := CASE WHEN e.erased_at IS NULL THEN sha256(convert_to(e.payload::text, 'UTF8'))
                ELSE e.payload_hash END;
            previous := sha256(previous || int8send(e.position) || field(e.aggregate_type) || field(e.aggregate_id)
                || int8send(e.sequence) || field(e.event_type) || field(e.event_version) || micros(e.occurred_at)
                || micros(e.recorded_at) || of_payload || sha256(convert_to(e.metadata::text, 'UTF8')));
            UPDATE ledger.events SET payload_hash = of_payload, hash = previous
                WHERE tenant_id = tenant AND position = e.position;
            last := e.position;
        END LOOP;
        UPDATE ledger.heads SET head_position = last, head_hash = previous WHERE tenant_id = tenant;
    END $$;";

/// Takes the guards off and brings the tools.
pub async fn break_in(pool: &PgPool) {
    pool.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL").await.expect("the owner may");
    pool.execute(REHASH).await.expect("the owner may");
}

/// Does it.
pub async fn forge(pool: &PgPool, sql: &str) {
    pool.execute(sql).await.expect(sql);
}

/// Removes every ledger, for the next case.
pub async fn clear(pool: &PgPool) {
    forge(pool, "DELETE FROM ledger.events; DELETE FROM ledger.heads; DELETE FROM ledger.claims").await;
}

/// Gives all events the hashes that follow from what they are now.
pub async fn rehash(pool: &PgPool, tenant: TenantId) {
    sqlx::query("SELECT public.rehash($1)").bind(tenant.0).execute(pool).await.expect("rehashed");
}

/// Makes room for an event after position 30, and puts a copy of it there.
pub const INSERT: &str = "UPDATE ledger.events SET position = position + 1000000 WHERE position > 30; \
    UPDATE ledger.events SET position = position - 999999 WHERE position > 1000000; \
    INSERT INTO ledger.events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
        payload, metadata, occurred_at, recorded_at, payload_hash, hash) \
    SELECT tenant_id, 31, aggregate_type, aggregate_id, 1000, event_type, event_version, payload, metadata, \
        occurred_at, recorded_at, payload_hash, hash FROM ledger.events WHERE position = 30; \
    UPDATE ledger.heads SET head_position = head_position + 1";

/// Removes the event at 30 and closes the gap.
pub const REMOVE: &str = "DELETE FROM ledger.events WHERE position = 30; \
    UPDATE ledger.events SET position = position + 1000000 WHERE position > 30; \
    UPDATE ledger.events SET position = position - 1000001 WHERE position > 1000000";

/// Lets two events change places.
pub const SWAP: &str = "UPDATE ledger.events SET position = 1000000 WHERE position = 30; \
    UPDATE ledger.events SET position = 30 WHERE position = 35; UPDATE ledger.events SET position = 35 WHERE position = 1000000";
