-- Sessions of browsers (R-AUTH-9): only the browser has the id, here is its hash, so that a dump opens no session.

CREATE TABLE vault.sessions (
    tenant_id    uuid        NOT NULL,
    session_hash bytea       NOT NULL,
    user_id      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    -- Moves at most once a minute; a session that nobody used for long has ended.
    last_seen_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, session_hash)
);
CREATE INDEX sessions_by_user ON vault.sessions (tenant_id, user_id);
CREATE INDEX sessions_by_expiry ON vault.sessions (tenant_id, expires_at);
