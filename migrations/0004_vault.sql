-- Secrets: passwords hashed, tokens and channel secrets sealed, both found by hash. Never in events.

CREATE SCHEMA vault;

CREATE TABLE vault.passwords (
    tenant_id uuid   NOT NULL,
    user_id   bigint NOT NULL,
    -- Argon2id in the PHC string format, so that its costs can be raised later.
    hash      text   NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE vault.tokens (
    tenant_id  uuid   NOT NULL,
    user_id    bigint NOT NULL,
    token_hash bytea  NOT NULL,
    sealed     bytea  NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT tokens_hash UNIQUE (tenant_id, token_hash)
);

CREATE TABLE vault.secrets (
    tenant_id   uuid  NOT NULL,
    kind        text  COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL,
    sealed      bytea NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);
