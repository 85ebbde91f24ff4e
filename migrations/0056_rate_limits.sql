-- How often shops ask the Service API, counted where all servers see it (R-SVC-6). Unlogged: what a crash loses is a
-- minute's counts.

CREATE UNLOGGED TABLE outbound.rate_limits (
    tenant_id uuid        NOT NULL,
    key       text        COLLATE "C" NOT NULL,
    begun_at  timestamptz NOT NULL,
    requests  integer     NOT NULL,
    PRIMARY KEY (tenant_id, key)
) WITH (fillfactor = 50);
COMMENT ON TABLE outbound.rate_limits IS 'Requests in the current window of each key; of tenants that do not exist as well.';
COMMENT ON COLUMN outbound.rate_limits.key IS 'What is counted, and for whom where it is not the tenant.';
COMMENT ON COLUMN outbound.rate_limits.begun_at IS 'When the window began.';
COMMENT ON COLUMN outbound.rate_limits.requests IS 'Requests in it that were let through.';
