-- Codes that activate users, each by its hash alone: the link that holds the code is shown once.

CREATE TABLE vault.activation_codes (
    tenant_id   uuid        NOT NULL,
    user_id     bigint      NOT NULL,
    code_hash   bytea       NOT NULL,
    valid_until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT activation_codes_hash UNIQUE (tenant_id, code_hash)
);
