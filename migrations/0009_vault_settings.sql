-- What events refer to and must not hold: the addresses and headers of webhooks and rule engines, sealed; and the hashes
-- of API tokens. The id of a sealed secret is new for every change, so that an event never names another's secret.

CREATE TABLE vault.sealed (
    tenant_id uuid  NOT NULL,
    id        uuid  NOT NULL,
    sealed    bytea NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Only the hash: a token is shown once and never given back.
CREATE TABLE vault.api_tokens (
    tenant_id  uuid  NOT NULL,
    -- The stream of the token's events.
    stream     uuid  NOT NULL,
    token_hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, stream),
    CONSTRAINT api_tokens_hash UNIQUE (tenant_id, token_hash)
);
