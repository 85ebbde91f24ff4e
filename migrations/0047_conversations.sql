-- Conversations: the sessions within a chat that the Service API speaks of. That one is over because of the time is not
-- stored: `expires_at` says it.

CREATE TABLE read_models.conversations (
    tenant_id       uuid   NOT NULL,
    conversation_id uuid   NOT NULL,
    wa_id           text   COLLATE "C" NOT NULL,
    opened_by       uuid   NOT NULL,
    first_position  bigint NOT NULL,
    opened_at       bigint NOT NULL,
    expires_at      bigint NOT NULL,
    closed_at       bigint,
    closed_by       bigint,
    last_message_at bigint NOT NULL,
    message_count   bigint NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX conversations_of_chat ON read_models.conversations (tenant_id, wa_id, first_position);
CREATE INDEX conversations_in_order
    ON read_models.conversations (tenant_id, last_message_at DESC, conversation_id);
CREATE INDEX conversations_by_end ON read_models.conversations (tenant_id, expires_at) WHERE closed_at IS NULL;
CREATE INDEX conversations_closed ON read_models.conversations (tenant_id, closed_at) WHERE closed_at IS NOT NULL;

COMMENT ON TABLE read_models.conversations IS 'The sessions within chats; at most one of a chat is active. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.conversations.conversation_id IS 'Its id on the wire, which follows from the tenant and the message that opened it.';
COMMENT ON COLUMN read_models.conversations.opened_by IS 'The message that opened it.';
COMMENT ON COLUMN read_models.conversations.first_position IS 'The position of that message. The messages from it up to the next conversation of the chat belong to this one.';
COMMENT ON COLUMN read_models.conversations.opened_at IS 'When that message was sent.';
COMMENT ON COLUMN read_models.conversations.expires_at IS 'When it is over: it is active before, unless it is closed.';
COMMENT ON COLUMN read_models.conversations.closed_at IS 'When a user closed it.';
COMMENT ON COLUMN read_models.conversations.closed_by IS 'Who closed it.';
COMMENT ON COLUMN read_models.conversations.last_message_at IS 'The timestamp of its newest message in either direction.';
COMMENT ON COLUMN read_models.conversations.message_count IS 'Its messages in both directions.';
