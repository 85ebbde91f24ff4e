-- Read models of chats and their messages. Few indexes: every one of them costs each incoming message.
CREATE TABLE read_models.chats (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    sort_timestamp bigint NOT NULL,
    written_at bigint,
    sent_at bigint,
    last_timestamp bigint NOT NULL,
    last_position bigint NOT NULL,
    last_message_id uuid NOT NULL,
    first_position bigint NOT NULL,
    incoming_total bigint NOT NULL,
    message_total bigint NOT NULL,
    assigned_user bigint,
    assigned_group bigint,
    PRIMARY KEY (tenant_id, wa_id)
) WITH (fillfactor = 80);
CREATE INDEX chats_by_time ON read_models.chats (tenant_id, sort_timestamp DESC, wa_id);
CREATE INDEX chats_of_user ON read_models.chats (tenant_id, assigned_user, sort_timestamp DESC, wa_id)
    WHERE assigned_user IS NOT NULL;
CREATE INDEX chats_of_group ON read_models.chats (tenant_id, assigned_group, sort_timestamp DESC, wa_id)
    WHERE assigned_group IS NOT NULL;
COMMENT ON TABLE read_models.chats IS 'One row per chat. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.chats.sort_timestamp IS 'Newest message of the customer, else newest of ours (R-CHAT-1).';
COMMENT ON COLUMN read_models.chats.written_at IS 'Newest message that the customer wrote, never later than its receipt.';
COMMENT ON COLUMN read_models.chats.sent_at IS 'Newest message from this side.';
COMMENT ON COLUMN read_models.chats.last_message_id IS 'The newest message by timestamp, then by position.';
COMMENT ON COLUMN read_models.chats.incoming_total IS 'How many messages came from the customer.';

CREATE TABLE read_models.messages (
    tenant_id uuid NOT NULL,
    message_id uuid NOT NULL,
    waba_id text COLLATE "C",
    wa_id text COLLATE "C" NOT NULL,
    timestamp bigint NOT NULL,
    position bigint NOT NULL,
    from_us boolean NOT NULL,
    is_failed boolean NOT NULL,
    kind text COLLATE "C" NOT NULL,
    sender bigint,
    sent bigint NOT NULL,
    delivered bigint NOT NULL,
    read bigint NOT NULL,
    context text COLLATE "C",
    payload json NOT NULL,
    errors json,
    response json,
    search text NOT NULL,
    PRIMARY KEY (tenant_id, message_id)
) WITH (fillfactor = 85);
CREATE INDEX messages_of_chat ON read_models.messages (tenant_id, wa_id, timestamp DESC, position DESC) INCLUDE (from_us);
CREATE INDEX messages_by_time ON read_models.messages (tenant_id, timestamp DESC, position DESC);
-- Not unique: an id that WhatsApp hands out twice must not stop the read model. The first holder gets the statuses.
CREATE INDEX messages_by_waba_id ON read_models.messages (tenant_id, waba_id) WHERE waba_id IS NOT NULL;
COMMENT ON TABLE read_models.messages IS 'Every message in either direction. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.messages.waba_id IS 'WhatsApp''s id, once it has one.';
COMMENT ON COLUMN read_models.messages.position IS 'The position of the event that brought it.';
COMMENT ON COLUMN read_models.messages.sent IS 'When WhatsApp first reported it as sent; 0 for never. So are delivered and read.';
COMMENT ON COLUMN read_models.messages.payload IS 'WhatsApp''s object, byte by byte. May hold what JSON functions of Postgres refuse.';
COMMENT ON COLUMN read_models.messages.response IS 'WhatsApp''s answer when it took the message.';
COMMENT ON COLUMN read_models.messages.search IS 'The text people see in it, lower-case, for searching (R-MSG-3).';

CREATE TABLE read_models.message_statuses (
    tenant_id uuid NOT NULL,
    waba_id text COLLATE "C" NOT NULL,
    sent bigint NOT NULL,
    delivered bigint NOT NULL,
    read bigint NOT NULL,
    is_failed boolean NOT NULL,
    errors json,
    PRIMARY KEY (tenant_id, waba_id)
);
COMMENT ON TABLE read_models.message_statuses IS 'Statuses of messages that we do not hold, kept until the message appears (R-MSG-9).';

CREATE TABLE read_models.received_marks (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    user_id bigint NOT NULL,
    mark bigint NOT NULL,
    incoming_read bigint NOT NULL,
    PRIMARY KEY (tenant_id, wa_id, user_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE read_models.received_marks IS 'Up to when each user has received each chat (R-RCV-1).';
COMMENT ON COLUMN read_models.received_marks.mark IS 'Incoming messages up to and including this POSIX second are received.';
COMMENT ON COLUMN read_models.received_marks.incoming_read IS 'How many incoming messages that is.';

CREATE TABLE read_models.persons (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    last_message_timestamp bigint,
    referred_at bigint,
    resolved boolean NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    initials text NOT NULL,
    search text COLLATE "C" NOT NULL,
    profile json,
    PRIMARY KEY (tenant_id, wa_id)
) WITH (fillfactor = 80);
CREATE INDEX persons_by_name ON read_models.persons (tenant_id, name_key, wa_id);
COMMENT ON TABLE read_models.persons IS 'The customers. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.persons.last_message_timestamp IS 'Newest message that the customer wrote, never later than its receipt.';
COMMENT ON COLUMN read_models.persons.referred_at IS 'Newest message that came by an ad''s referral.';
COMMENT ON COLUMN read_models.persons.name_key IS 'The beginning of the name in lower case, for ordering.';
COMMENT ON COLUMN read_models.persons.search IS 'Name and id in lower case, for searching.';
COMMENT ON COLUMN read_models.persons.profile IS 'WhatsApp''s contact object; null where it showed none.';
