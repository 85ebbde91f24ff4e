-- Outgoing webhooks: what is to be delivered to whom, in which order, and what came of it.
--
-- What must be delivered follows from the ledger and a cursor; these rows are its unrolled form, made in the transaction
-- that moves the cursor. Their ids follow from receiver and event, so making them again yields the same. Not in the
-- ledger, because attempts are no facts of the inbox; never filled by a rebuild of read models.

-- Who follows a tenant's ledger for a reactor: one server at a time. `fence` grows with every holder; whoever writes for
-- the reactor names it, so that a server that slept past its lease can change nothing.
ALTER TABLE outbound.cursors
    ADD COLUMN holder      uuid,
    ADD COLUMN fence       bigint NOT NULL DEFAULT 0,
    ADD COLUMN lease_until timestamptz;

-- A body, once for all receivers that are told the same. Kept as long as a delivery names it, so that every attempt
-- sends the same bytes.
CREATE TABLE outbound.bodies (
    tenant_id  uuid NOT NULL,
    -- Follows from the bytes.
    id         uuid NOT NULL,
    body       text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE outbound.deliveries (
    tenant_id  uuid     NOT NULL,
    -- Who is told: the position of the event that registered it.
    receiver   bigint   NOT NULL,
    -- What is told: the push, by the place of its first event and its number there. The order of deliveries.
    position   bigint   NOT NULL,
    part       smallint NOT NULL,
    -- A push too large for one body is split: the number of the piece.
    piece      smallint NOT NULL DEFAULT 0,
    -- `webhook-id`: follows from receiver and push.
    id         uuid     NOT NULL,
    -- The chats it is about, each a queue of its own; empty for what is about no chat.
    wa_ids     text[]   COLLATE "C" NOT NULL,
    -- The keys of the body, for people who look.
    keys       text[]   COLLATE "C" NOT NULL,
    -- Null while the body waits for the outcome of the message that it tells of.
    body_id    uuid,
    -- The message whose outcome it waits for, by our id.
    awaits     uuid,
    -- What a 2xx marks as received: {"<wa_id>": <POSIX seconds>, …}; null for nothing.
    marks      json,
    -- pending: to be delivered. delivered: a 2xx came. dead: given up, kept to be looked at and replayed.
    state      text     COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts   int      NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    -- One object per attempt, oldest first: {"at","status","ms","answer","error"}.
    log        json,
    made_at    timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    PRIMARY KEY (tenant_id, receiver, position, part, piece)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

CREATE INDEX deliveries_pending ON outbound.deliveries (tenant_id, receiver, position, part, piece)
    WHERE state = 'pending';
CREATE INDEX deliveries_dead ON outbound.deliveries (tenant_id, receiver, position, part, piece)
    WHERE state = 'dead';
-- What waits for the outcome of a message.
CREATE INDEX deliveries_awaiting ON outbound.deliveries (tenant_id, awaits)
    WHERE awaits IS NOT NULL AND body_id IS NULL;
CREATE UNIQUE INDEX deliveries_id ON outbound.deliveries (tenant_id, id);
-- What may be forgotten, the oldest first.
CREATE INDEX deliveries_done ON outbound.deliveries (tenant_id, done_at) WHERE state = 'delivered';

-- Since when a receiver has had failures and nothing else. A success removes the row.
CREATE TABLE outbound.failing (
    tenant_id uuid        NOT NULL,
    receiver  bigint      NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, receiver)
);

-- Marks that follow from deliveries and are not in the ledger yet; gathered so that many deliveries make one event.
CREATE TABLE outbound.marks (
    tenant_id uuid   NOT NULL,
    wa_id     text   COLLATE "C" NOT NULL,
    user_id   bigint NOT NULL,
    timestamp bigint NOT NULL,
    PRIMARY KEY (tenant_id, wa_id, user_id)
);
