-- How far every read model is, and what it could not fold: the engine's own tables.
CREATE SCHEMA IF NOT EXISTS read_models;
COMMENT ON SCHEMA read_models IS 'Lists folded from the ledger. May be emptied and rebuilt at any time: chatledger projections rebuild.';

CREATE TABLE read_models.cursors (
    tenant_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    generation integer NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tenant_id, projection, generation)
) WITH (fillfactor = 50);
COMMENT ON TABLE read_models.cursors IS 'How far each read model of each tenant is; moved in the transaction that writes the rows.';
COMMENT ON COLUMN read_models.cursors.generation IS 'Which built copy of the read model.';
COMMENT ON COLUMN read_models.cursors.position IS 'The newest position of the ledger that is folded in.';

CREATE TABLE read_models.parked (
    tenant_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, projection, aggregate_type, aggregate_id)
);
COMMENT ON TABLE read_models.parked IS 'Streams that a read model could not fold. Their events from this position on are left out until a rebuild.';
COMMENT ON COLUMN read_models.parked.position IS 'The first event of the stream that could not be folded.';
COMMENT ON COLUMN read_models.parked.error IS 'Why it could not.';

-- So that the length of a long list is known without counting it.
CREATE TABLE read_models.counters (
    tenant_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (tenant_id, projection)
) WITH (fillfactor = 50);
COMMENT ON TABLE read_models.counters IS 'How many rows the main table of a read model holds.';
