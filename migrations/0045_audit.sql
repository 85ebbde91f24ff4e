-- What an audit looks up before it reads: where in a ledger, or in a stream, something stands that no index names. Both
-- halve the distance to it, some twenty probes of the keys there are, so that the ledger needs no index more for it.

CREATE FUNCTION ledger.position_at(tenant uuid, moment timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    low bigint := 0;
    high bigint := coalesce((SELECT h.head_position FROM ledger.heads h WHERE h.tenant_id = tenant), 0);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.recorded_at FROM ledger.events e WHERE e.tenant_id = tenant AND e.position = middle) <= moment THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
COMMENT ON FUNCTION ledger.position_at IS 'The newest position of a tenant''s ledger that was recorded at or before a moment; 0 where there is none.';

CREATE FUNCTION ledger.sequence_at(tenant uuid, of_type text, of_id text, upto bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    low bigint := 0;
    high bigint := coalesce((
        SELECT e.sequence FROM ledger.events e
         WHERE e.tenant_id = tenant AND e.aggregate_type = of_type AND e.aggregate_id = of_id
         ORDER BY e.sequence DESC LIMIT 1
    ), 0);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.position FROM ledger.events e
             WHERE e.tenant_id = tenant AND e.aggregate_type = of_type AND e.aggregate_id = of_id
               AND e.sequence = middle) <= upto THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
COMMENT ON FUNCTION ledger.sequence_at IS 'The last sequence of a stream at or before a position of its tenant''s ledger; 0 where there is none.';
