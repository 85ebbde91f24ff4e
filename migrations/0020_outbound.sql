-- The durable work of reactors: how far each has read a tenant's ledger, and the messages that wait for WhatsApp.
--
-- A row of `sends` lives from `MessageQueued` until the outcome is in the ledger. It is marked `calling`, durably, before
-- WhatsApp is called, so that a crash leaves a trace: such a row is never sent again, its outcome is unknown. Not in
-- the ledger, because leases and attempts are no facts of the inbox; never filled by a rebuild.

CREATE SCHEMA outbound;

CREATE TABLE outbound.cursors (
    tenant_id uuid   NOT NULL,
    reactor   text   COLLATE "C" NOT NULL,
    position  bigint NOT NULL CHECK (position >= 0),
    PRIMARY KEY (tenant_id, reactor)
) WITH (fillfactor = 20);

CREATE TABLE outbound.sends (
    tenant_id   uuid        NOT NULL,
    position    bigint      NOT NULL,
    wa_id       text        COLLATE "C" NOT NULL,
    message_id  uuid        NOT NULL,
    -- The quoted message, as the sender named it.
    context     text,
    letter      json        NOT NULL,
    state       text        COLLATE "C" NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'calling', 'unknown')),
    attempts    int         NOT NULL DEFAULT 0,
    not_before  timestamptz NOT NULL DEFAULT now(),
    -- `calling`: who calls is alive until then. `unknown`: the chat waits until then.
    lease_until timestamptz,
    -- Grows with every claim; whoever holds an older one has lost the row.
    fence       bigint      NOT NULL DEFAULT 0,
    queued_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, position)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- A chat's oldest row goes first.
CREATE INDEX sends_chat ON outbound.sends (tenant_id, wa_id, position);
-- A status that tells the outcome names the message.
CREATE INDEX sends_message ON outbound.sends (tenant_id, message_id);
