-- Read models of what is few and set up by people: tenants, groups, users, tags.
CREATE TABLE read_models.tenants (
    tenant_id uuid PRIMARY KEY,
    slug text COLLATE "C" NOT NULL,
    name text NOT NULL,
    hosts text[] NOT NULL,
    settings json NOT NULL,
    free_entry_window boolean NOT NULL,
    number json
);
COMMENT ON TABLE read_models.tenants IS 'One row per inbox.';
COMMENT ON COLUMN read_models.tenants.hosts IS 'The hosts it is reached under, lower-case, without port.';
COMMENT ON COLUMN read_models.tenants.free_entry_window IS 'Whether an ad''s referral opens the window for 72 hours.';
COMMENT ON COLUMN read_models.tenants.number IS 'The connected WhatsApp number.';

CREATE TABLE read_models.groups (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    built_in text COLLATE "C",
    can_use_tags boolean NOT NULL,
    can_read_chats text COLLATE "C" NOT NULL,
    can_write_to_chats text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE read_models.groups IS 'Groups of users and what their members may do.';
COMMENT ON COLUMN read_models.groups.built_in IS 'The role it gives, for the three built-in groups.';

CREATE TABLE read_models.users (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    username text NOT NULL,
    username_key text COLLATE "C" NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    role text COLLATE "C" NOT NULL,
    groups bigint[] NOT NULL,
    can_use_tags boolean,
    can_read_chats text COLLATE "C",
    can_write_to_chats text COLLATE "C",
    activated boolean NOT NULL,
    deactivated boolean NOT NULL,
    is_available boolean NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX users_by_name ON read_models.users (tenant_id, username_key);
COMMENT ON TABLE read_models.users IS 'Users, people and programs alike.';
COMMENT ON COLUMN read_models.users.username_key IS 'The username in lower case.';
COMMENT ON COLUMN read_models.users.can_use_tags IS 'The user''s own setting; null where its groups decide. So are the next two.';

CREATE TABLE read_models.tags (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    web_inbox_color text,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE read_models.tags IS 'Tags that exist.';
COMMENT ON COLUMN read_models.tags.name_key IS 'The name in lower case, for searching.';
