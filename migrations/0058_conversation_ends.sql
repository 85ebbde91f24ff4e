-- How many conversations are active, expired or closed, of all chats and of those that a user or a group holds, known without
-- counting; and a list of each status in its own order. Only the end of a chat's newest conversation is counted: by the time
-- a chat opens another one, those before it are over.
TRUNCATE read_models.conversation_holders, read_models.conversation_shares, read_models.conversations;

ALTER TABLE read_models.conversation_holders ADD COLUMN closed bigint NOT NULL;
COMMENT ON COLUMN read_models.conversation_holders.closed IS 'How many of them a user closed.';

ALTER TABLE read_models.conversation_shares ADD COLUMN closed bigint NOT NULL;
COMMENT ON TABLE read_models.conversation_shares IS 'How many conversations each user and group holds together, and how many there are.';
COMMENT ON COLUMN read_models.conversation_shares.assigned_user IS 'The user; 0 for chats of a group alone, and with group 0 for all chats.';
COMMENT ON COLUMN read_models.conversation_shares.assigned_group IS 'The group; 0 for chats of a user alone, and with user 0 for all chats.';
COMMENT ON COLUMN read_models.conversation_shares.closed IS 'How many of them a user closed.';

CREATE TABLE read_models.conversation_ends (
    tenant_id uuid NOT NULL,
    assigned_user bigint NOT NULL,
    assigned_group bigint NOT NULL,
    until bigint NOT NULL,
    conversations bigint NOT NULL,
    -- The end before the group: those of a user in all its groups lie together.
    PRIMARY KEY (tenant_id, assigned_user, until, assigned_group)
) WITH (fillfactor = 50);
CREATE INDEX conversation_ends_of_group ON read_models.conversation_ends (tenant_id, assigned_group, until);
COMMENT ON TABLE read_models.conversation_ends IS 'When the chats'' newest conversations are over that nobody closed, by who has the chats.';
COMMENT ON COLUMN read_models.conversation_ends.assigned_user IS 'The user; 0 for chats of a group alone, and with group 0 for all chats.';
COMMENT ON COLUMN read_models.conversation_ends.assigned_group IS 'The group; 0 for chats of a user alone, and with user 0 for all chats.';
COMMENT ON COLUMN read_models.conversation_ends.until IS 'They end in the ten minutes before this moment, POSIX seconds.';
COMMENT ON COLUMN read_models.conversation_ends.conversations IS 'How many they are.';

-- Which are closed never changes back, so that each kind has its own list; an open one is in as few indexes as before.
DROP INDEX read_models.conversations_in_order;
DROP INDEX read_models.conversations_closed;
CREATE INDEX conversations_open ON read_models.conversations (tenant_id, last_message_at DESC, conversation_id)
    WHERE closed_at IS NULL;
CREATE INDEX conversations_closed ON read_models.conversations (tenant_id, last_message_at DESC, conversation_id)
    WHERE closed_at IS NOT NULL;
-- Those in which the business wrote long after the customer: they may be over while their newest message is of today.
CREATE INDEX conversations_late ON read_models.conversations (tenant_id, last_message_at DESC, conversation_id)
    WHERE closed_at IS NULL AND expires_at - last_message_at <= 85800;

-- Built anew from the ledger, beside the other read models.
DELETE FROM read_models.counters WHERE split_part(projection, ':', 1) = 'conversations';
DELETE FROM read_models.parked WHERE projection = 'conversations';
DELETE FROM read_models.cursors WHERE projection = 'conversations';
