-- Who has the chat, in the rows of its conversations: a list that is cut down to some users and groups is read in its order
-- without a look at who has the chat of each. An index for each holder would cost every message two entries more.
TRUNCATE read_models.conversation_ends, read_models.conversation_holders, read_models.conversation_shares,
    read_models.conversations;

ALTER TABLE read_models.conversations ADD COLUMN assigned_user bigint, ADD COLUMN assigned_group bigint;
COMMENT ON COLUMN read_models.conversations.assigned_user IS 'The user who has the chat now.';
COMMENT ON COLUMN read_models.conversations.assigned_group IS 'The group that has it now.';

-- Built anew from the ledger, beside the other read models.
DELETE FROM read_models.counters WHERE split_part(projection, ':', 1) = 'conversations';
DELETE FROM read_models.parked WHERE projection = 'conversations';
DELETE FROM read_models.cursors WHERE projection = 'conversations';
