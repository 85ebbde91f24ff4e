-- The durable work around media: files that wait to be fetched from WhatsApp, and those that WhatsApp was given.
--
-- A row of `fetches` lives from the message that brings a file until the file, or that it cannot be had, is in the
-- ledger. Fetching twice does no harm, so a row whose fetcher died is simply taken again.

CREATE TABLE outbound.fetches (
    tenant_id   uuid        NOT NULL,
    media_id    uuid        NOT NULL,
    -- The message's event.
    position    bigint      NOT NULL,
    wa_id       text        COLLATE "C" NOT NULL,
    message_id  uuid        NOT NULL,
    waba_id     text        COLLATE "C" NOT NULL,
    -- What the message says of the file.
    mime_type   text,
    sha256      text,
    filename    text,
    attempts    int         NOT NULL DEFAULT 0,
    not_before  timestamptz NOT NULL DEFAULT now(),
    -- Who fetches is alive until then.
    lease_until timestamptz,
    -- Grows with every claim; whoever holds an older one has lost the row.
    fence       bigint      NOT NULL DEFAULT 0,
    queued_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, media_id)
) WITH (fillfactor = 70);

-- WhatsApp's ids of files that it was given, so that a file that is sent to many is given once.
CREATE TABLE outbound.uploads (
    tenant_id       uuid        NOT NULL,
    phone_number_id text        COLLATE "C" NOT NULL,
    media_id        uuid        NOT NULL,
    waba_id         text        NOT NULL,
    uploaded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, phone_number_id, media_id)
);

-- While its files are being given to WhatsApp a message is certainly not sent, so it can be claimed again after a crash.
ALTER TABLE outbound.sends DROP CONSTRAINT sends_state_check;
ALTER TABLE outbound.sends ADD CONSTRAINT sends_state_check
    CHECK (state IN ('queued', 'uploading', 'calling', 'unknown'));
