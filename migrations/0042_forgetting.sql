-- Forgetting a contact: its files are noted to be removed in the transaction that blanks its events, so that a crash
-- between the two leaves nothing behind; and the database lets only that through.

CREATE TABLE outbound.removals (
    tenant_id uuid        NOT NULL,
    blob      uuid        NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, blob)
);
COMMENT ON TABLE outbound.removals IS 'Files that were forgotten and whose bytes are still to be removed from the media store.';
COMMENT ON COLUMN outbound.removals.blob IS 'Where the bytes are.';
COMMENT ON COLUMN outbound.removals.asked_at IS 'When the file was forgotten.';
