-- Read models are rebuilt beside the ones that answer: a generation is built under the same names in a schema of its
-- own, then moved into place in one short transaction. Tables rather than views change places, because a view would
-- step around the row level security of the tables below it before PostgreSQL 15, and add a layer to every plan.
CREATE SCHEMA read_models_next;
COMMENT ON SCHEMA read_models_next IS 'The generation of read models that is being built: chatledger projections rebuild. Empty otherwise.';
CREATE SCHEMA read_models_before;
COMMENT ON SCHEMA read_models_before IS 'The generation that answered before the last rebuild, kept for a while. Nothing is folded into it any more.';

-- One row for each read model of a tenant: whichever generation answers, there is only one.
ALTER TABLE read_models.cursors DROP CONSTRAINT cursors_pkey;
ALTER TABLE read_models.cursors ADD PRIMARY KEY (tenant_id, projection);
ALTER TABLE read_models.cursors ALTER COLUMN generation SET DEFAULT 1;
ALTER TABLE read_models.cursors ADD COLUMN parked integer NOT NULL DEFAULT 0;
ALTER TABLE read_models.cursors ADD COLUMN definition text COLLATE "C";
COMMENT ON COLUMN read_models.cursors.generation IS 'How often the read model was built.';
COMMENT ON COLUMN read_models.cursors.parked IS 'How many streams it has parked; who moves the cursor sees by this whether to look.';
COMMENT ON COLUMN read_models.cursors.definition IS 'A hash of the code that folded the rows; null where it is not known.';
UPDATE read_models.cursors c SET parked = (SELECT count(*) FROM read_models.parked p
    WHERE p.tenant_id = c.tenant_id AND p.projection = c.projection);

ALTER TABLE read_models.parked ADD COLUMN attempts integer NOT NULL DEFAULT 1;
COMMENT ON COLUMN read_models.parked.attempts IS 'How often it was tried to fold it.';
COMMENT ON TABLE read_models.parked IS 'Streams that a read model could not fold. Their events from this position on are left out until they are retried or the read model is rebuilt.';

-- How far the generation that is being built is. Beside its tables, so that all of it is dropped or kept together.
CREATE TABLE read_models_next.cursors (
    tenant_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    definition text COLLATE "C" NOT NULL,
    complete boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, projection)
) WITH (fillfactor = 50);
COMMENT ON TABLE read_models_next.cursors IS 'How far the generation that is being built is, so that a rebuild that was killed goes on.';
COMMENT ON COLUMN read_models_next.cursors.position IS 'The newest position of the ledger that is folded in.';
COMMENT ON COLUMN read_models_next.cursors.definition IS 'A hash of the code that folds it; another one begins anew.';
COMMENT ON COLUMN read_models_next.cursors.complete IS 'Whether its rows are whole, so that further events are folded in as they are live.';

CREATE TABLE read_models_next.counters (LIKE read_models.counters INCLUDING ALL);
COMMENT ON TABLE read_models_next.counters IS 'How many rows the main table of each read model that is being built holds.';

CREATE TABLE read_models_before.cursors (
    tenant_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    generation integer NOT NULL,
    position bigint NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, projection)
);
COMMENT ON TABLE read_models_before.cursors IS 'How far the generation was that answered before, and since when it does not.';
