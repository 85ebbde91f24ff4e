-- The append: one call, one round trip and one transaction for a whole group of units.
--
-- The caller has computed the hashes on top of the head that it assumes. Where another server has moved the head, the
-- actual one is returned and nothing is written; where a key is repeated, a stream has moved on or a name is not as it
-- must be, all of that is returned and nothing is written. Only when nothing is wrong are the events inserted.

CREATE FUNCTION ledger.append(
    tenant uuid, assumed_position bigint, assumed_hash bytea, recorded timestamptz,
    -- The events, in order.
    aggregate_types text[], aggregate_ids text[], sequences bigint[], event_types text[], event_versions text[],
    payloads text[], metadatas text[], keys text[], occurred timestamptz[], payload_hashes bytea[], hashes bytea[],
    -- Each stream's first new sequence.
    start_types text[], start_ids text[], start_sequences bigint[],
    -- Names that must be free, names that must be held, and what becomes of them.
    must_be_free text[], must_be_held text[], given_back text[], taken text[], taken_at bigint[],
    OUT written boolean, OUT head_position bigint, OUT head_hash bytea,
    OUT repeated text[], OUT moved bigint[], OUT claimed text[], OUT unclaimed text[]
) LANGUAGE plpgsql
-- Plans live as long as a connection; one that was made while the tables were small must not scan them once they grew.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
-- Whoever waits longer for the head is told so for certain, rather than written for after it has given up.
SET lock_timeout = '3s'
AS $$
DECLARE
    added CONSTANT bigint := cardinality(sequences);
BEGIN
    written := false;
    SELECT h.head_position, h.head_hash INTO head_position, head_hash
        FROM ledger.heads h WHERE h.tenant_id = tenant FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO ledger.heads VALUES (tenant, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
        SELECT h.head_position, h.head_hash INTO head_position, head_hash
            FROM ledger.heads h WHERE h.tenant_id = tenant FOR UPDATE;
    END IF;
    IF head_position <> assumed_position OR head_hash <> assumed_hash THEN
        RETURN;
    END IF;

    -- One probe for each key, in a form that cannot be planned as a join: with the statistics of an empty table a join
    -- reads the tenant's whole index for every group. Nor `= ANY (keys)`: the index is partial, and that no null is
    -- looked for cannot be proved of an array.
    SELECT array_agg(k.key) INTO repeated
        FROM unnest(keys) k (key)
        WHERE (SELECT true FROM ledger.events e WHERE e.tenant_id = tenant AND e.idempotency_key = k.key LIMIT 1);
    SELECT array_agg(s.number) INTO moved
        FROM unnest(start_types, start_ids, start_sequences) WITH ORDINALITY s (type, id, sequence, number)
        WHERE s.sequence <> 1 + coalesce((
            SELECT e.sequence FROM ledger.events e
                WHERE e.tenant_id = tenant AND e.aggregate_type = s.type AND e.aggregate_id = s.id
                ORDER BY e.sequence DESC LIMIT 1
        ), 0);
    IF cardinality(must_be_free) > 0 THEN
        SELECT array_agg(c.name) INTO claimed
            FROM ledger.claims c WHERE c.tenant_id = tenant AND c.name = ANY (must_be_free);
    END IF;
    IF cardinality(must_be_held) > 0 THEN
        SELECT array_agg(n.name) INTO unclaimed
            FROM unnest(must_be_held) n (name)
            WHERE (SELECT true FROM ledger.claims c WHERE c.tenant_id = tenant AND c.name = n.name LIMIT 1) IS NULL;
    END IF;
    IF repeated IS NOT NULL OR moved IS NOT NULL OR claimed IS NOT NULL OR unclaimed IS NOT NULL THEN
        RETURN;
    END IF;

    INSERT INTO ledger.events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
            payload, metadata, idempotency_key, occurred_at, recorded_at, payload_hash, hash)
        SELECT tenant, assumed_position + n.number, n.aggregate_type, n.aggregate_id, n.sequence, n.event_type,
               n.event_version, n.payload::json, n.metadata::json, n.key, n.occurred_at, recorded, n.payload_hash, n.hash
        FROM unnest(aggregate_types, aggregate_ids, sequences, event_types, event_versions, payloads, metadatas, keys,
                    occurred, payload_hashes, hashes)
            WITH ORDINALITY n (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                               key, occurred_at, payload_hash, hash, number);
    IF cardinality(given_back) > 0 THEN
        DELETE FROM ledger.claims c WHERE c.tenant_id = tenant AND c.name = ANY (given_back);
    END IF;
    IF cardinality(taken) > 0 THEN
        INSERT INTO ledger.claims (tenant_id, name, position)
            SELECT tenant, n.name, n.position FROM unnest(taken, taken_at) n (name, position);
    END IF;

    written := true;
    head_position := assumed_position + added;
    head_hash := hashes[added];
    UPDATE ledger.heads h SET head_position = append.head_position, head_hash = append.head_hash
        WHERE h.tenant_id = tenant;
END
$$;
