-- What came in and could not be recorded, byte for byte, until an operator has dealt with it.
--
-- The fingerprint covers door, reason and body, so that the same thing sent a thousand times is one row.

CREATE TABLE ledger.quarantine (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    door        text        NOT NULL,
    reason      text        NOT NULL,
    body        bytea       NOT NULL,
    size        bigint      NOT NULL GENERATED ALWAYS AS (octet_length(body)) STORED,
    fingerprint bytea       NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT quarantine_fingerprint UNIQUE (tenant_id, fingerprint)
);

CREATE INDEX quarantine_received_at ON ledger.quarantine (tenant_id, received_at);
