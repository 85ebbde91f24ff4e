-- Refresh tokens: secrets that an operator hands out to be exchanged for a user's token. Found by hash, used once.

CREATE TABLE vault.refresh_tokens (
    tenant_id  uuid        NOT NULL,
    token_hash bytea       NOT NULL,
    user_id    bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, token_hash)
);
CREATE INDEX refresh_tokens_by_expiry ON vault.refresh_tokens (tenant_id, expires_at);
