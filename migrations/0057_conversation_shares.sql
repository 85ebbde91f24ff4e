-- How many conversations each user and group holds, so that the length of an agent's list is known without counting. Who
-- has a chat is kept with its conversations, for the totals must move with it, wherever the list of chats is.
CREATE TABLE read_models.conversation_holders (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    assigned_user bigint,
    assigned_group bigint,
    conversations bigint NOT NULL,
    PRIMARY KEY (tenant_id, wa_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE read_models.conversation_holders IS 'Who has each chat, and how many conversations it has.';
COMMENT ON COLUMN read_models.conversation_holders.assigned_user IS 'The user who has the chat.';
COMMENT ON COLUMN read_models.conversation_holders.assigned_group IS 'The group that has it.';
COMMENT ON COLUMN read_models.conversation_holders.conversations IS 'How many conversations it has.';

CREATE TABLE read_models.conversation_shares (
    tenant_id uuid NOT NULL,
    assigned_user bigint NOT NULL,
    assigned_group bigint NOT NULL,
    conversations bigint NOT NULL,
    PRIMARY KEY (tenant_id, assigned_user, assigned_group)
) WITH (fillfactor = 50);
COMMENT ON TABLE read_models.conversation_shares IS 'How many conversations each user and group holds together.';
COMMENT ON COLUMN read_models.conversation_shares.assigned_user IS 'The user; 0 for chats of a group alone.';
COMMENT ON COLUMN read_models.conversation_shares.assigned_group IS 'The group; 0 for chats of a user alone.';
COMMENT ON COLUMN read_models.conversation_shares.conversations IS 'How many conversations are in these chats.';

-- Built anew from the ledger, beside the other read models.
DELETE FROM read_models.counters WHERE split_part(projection, ':', 1) = 'conversations';
DELETE FROM read_models.parked WHERE projection = 'conversations';
DELETE FROM read_models.cursors WHERE projection = 'conversations';
TRUNCATE read_models.conversations;
