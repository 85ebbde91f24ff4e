-- Which customers carry which tags, in the order of the list: a page of the customers with a tag costs what it shows, whether
-- half of all carry it or a few of long ago. How many of each user's and group's customers carry a tag is counted as they change.
TRUNCATE read_models.customers, read_models.customer_activity;

CREATE TABLE read_models.customer_tags (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    tag_id bigint NOT NULL,
    id uuid NOT NULL,
    last_contacted_at bigint,
    PRIMARY KEY (tenant_id, wa_id, tag_id)
) WITH (fillfactor = 80);
CREATE INDEX customer_tags_by_time ON read_models.customer_tags (tenant_id, tag_id, last_contacted_at DESC NULLS LAST, id);
COMMENT ON TABLE read_models.customer_tags IS 'The tags of customers; those of tags that were deleted as well.';
COMMENT ON COLUMN read_models.customer_tags.id IS 'The customer''s id, as in customers.';
COMMENT ON COLUMN read_models.customer_tags.last_contacted_at IS 'When the customer was last contacted, as in customer_activity.';

CREATE TABLE read_models.customer_holders (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    assigned_user bigint,
    assigned_group bigint,
    PRIMARY KEY (tenant_id, wa_id)
);
COMMENT ON TABLE read_models.customer_holders IS 'Who has the chats of customers; nobody leaves no row.';
COMMENT ON COLUMN read_models.customer_holders.assigned_user IS 'The user who has the chat.';
COMMENT ON COLUMN read_models.customer_holders.assigned_group IS 'The group that has it.';

CREATE TABLE read_models.customer_tag_shares (
    tenant_id uuid NOT NULL,
    tag_id bigint NOT NULL,
    assigned_user bigint NOT NULL,
    assigned_group bigint NOT NULL,
    customers bigint NOT NULL,
    PRIMARY KEY (tenant_id, tag_id, assigned_user, assigned_group)
) WITH (fillfactor = 50);
COMMENT ON TABLE read_models.customer_tag_shares IS 'How many customers carry each tag, by who has their chats.';
COMMENT ON COLUMN read_models.customer_tag_shares.assigned_user IS 'The user; 0 for chats of a group alone, and with group 0 for all chats.';
COMMENT ON COLUMN read_models.customer_tag_shares.assigned_group IS 'The group; 0 for chats of a user alone, and with user 0 for all chats.';
COMMENT ON COLUMN read_models.customer_tag_shares.customers IS 'How many they are.';

-- Built anew from the ledger, beside the other read models.
DELETE FROM read_models.counters WHERE split_part(projection, ':', 1) = 'customers';
DELETE FROM read_models.parked WHERE projection = 'customers';
DELETE FROM read_models.cursors WHERE projection = 'customers';
