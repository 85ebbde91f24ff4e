-- Read models of what connects programs to an inbox: webhooks, the rule engine and its rules, API tokens. Addresses and
-- headers are in the vault, under the id that stands here.

CREATE TABLE read_models.webhooks (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    user_id bigint NOT NULL,
    origin text NOT NULL,
    header_names text[] NOT NULL,
    secret uuid NOT NULL,
    on_incoming_message boolean NOT NULL,
    on_outgoing_message boolean NOT NULL,
    on_assigned boolean NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX webhooks_of_user ON read_models.webhooks (tenant_id, user_id);
COMMENT ON TABLE read_models.webhooks IS 'Where users'' programs want to be told; at most one a user.';
COMMENT ON COLUMN read_models.webhooks.id IS 'The position of its registration: it is told of what came after.';
COMMENT ON COLUMN read_models.webhooks.origin IS 'Scheme, host and port of the address.';
COMMENT ON COLUMN read_models.webhooks.secret IS 'Where the vault keeps the whole address and the headers.';

CREATE TABLE read_models.rule_engine (
    tenant_id uuid NOT NULL PRIMARY KEY,
    mode text COLLATE "C" NOT NULL,
    origin text,
    header_names text[] NOT NULL,
    secret uuid
);
COMMENT ON TABLE read_models.rule_engine IS 'Who decides on assignments, for tenants that have said so.';
COMMENT ON COLUMN read_models.rule_engine.mode IS 'default: the rules; custom: a program of the tenant''s own.';
COMMENT ON COLUMN read_models.rule_engine.secret IS 'Where the vault keeps the whole address and the headers.';

CREATE TABLE read_models.rules (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    tagged_with bigint,
    assign_to_user bigint,
    assign_to_group bigint,
    group_assign_method text COLLATE "C",
    place bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE read_models.rules IS 'The rules of the default engine. They go on naming a tag, user or group that is deleted.';
COMMENT ON COLUMN read_models.rules.tagged_with IS 'The tag that fires it; null for a fresh message.';
COMMENT ON COLUMN read_models.rules.place IS 'The first rule that matches is applied; of equal places the smaller id.';

CREATE TABLE read_models.api_tokens (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    abilities text[] NOT NULL,
    expires_at bigint,
    issued_at bigint NOT NULL,
    last_four text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE read_models.api_tokens IS 'Tokens for programs that are not revoked; the tokens themselves are nowhere.';
COMMENT ON COLUMN read_models.api_tokens.expires_at IS 'When it ends by itself, POSIX seconds.';
