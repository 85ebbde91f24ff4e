-- Read models of what stands and of what was done: taggings, their history, the history of assignments.
CREATE TABLE read_models.chat_taggings (
    tenant_id uuid NOT NULL,
    tagging_id bigint NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    tag_id bigint NOT NULL,
    extra json,
    PRIMARY KEY (tenant_id, tagging_id)
);
CREATE INDEX chat_taggings_of_chat ON read_models.chat_taggings (tenant_id, wa_id);
CREATE INDEX chat_taggings_of_tag ON read_models.chat_taggings (tenant_id, tag_id, wa_id);
COMMENT ON TABLE read_models.chat_taggings IS 'Tags that chats carry now.';
COMMENT ON COLUMN read_models.chat_taggings.extra IS 'What the caller wanted kept with it.';

CREATE TABLE read_models.message_taggings (
    tenant_id uuid NOT NULL,
    tagging_id bigint NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    tag_id bigint NOT NULL,
    extra json,
    PRIMARY KEY (tenant_id, tagging_id)
);
CREATE INDEX message_taggings_of_message ON read_models.message_taggings (tenant_id, message_id);
CREATE INDEX message_taggings_of_tag ON read_models.message_taggings (tenant_id, tag_id);
COMMENT ON TABLE read_models.message_taggings IS 'Tags that messages carry now.';

CREATE TABLE read_models.chat_tagging_events (
    tenant_id uuid NOT NULL,
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    added boolean NOT NULL,
    tag_id bigint NOT NULL,
    tag_name text NOT NULL,
    tag_color text,
    extra json,
    done_by bigint,
    PRIMARY KEY (tenant_id, position)
);
CREATE INDEX chat_tagging_events_by_time ON read_models.chat_tagging_events (tenant_id, timestamp DESC, position DESC);
CREATE INDEX chat_tagging_events_of_chat
    ON read_models.chat_tagging_events (tenant_id, wa_id, timestamp DESC, position DESC);
COMMENT ON TABLE read_models.chat_tagging_events IS 'Who tagged and untagged which chat when, with the tag as it was then.';
COMMENT ON COLUMN read_models.chat_tagging_events.done_by IS 'The user; null for the system.';

CREATE TABLE read_models.message_tagging_events (
    tenant_id uuid NOT NULL,
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    waba_id text COLLATE "C",
    added boolean NOT NULL,
    tag_id bigint NOT NULL,
    tag_name text NOT NULL,
    tag_color text,
    extra json,
    done_by bigint,
    PRIMARY KEY (tenant_id, position)
);
CREATE INDEX message_tagging_events_by_time
    ON read_models.message_tagging_events (tenant_id, timestamp DESC, position DESC);
CREATE INDEX message_tagging_events_of_chat
    ON read_models.message_tagging_events (tenant_id, wa_id, timestamp DESC, position DESC);
COMMENT ON TABLE read_models.message_tagging_events IS 'Who tagged and untagged which message when, with the tag as it was then.';
COMMENT ON COLUMN read_models.message_tagging_events.waba_id IS 'WhatsApp''s id of the message, where it had one then.';

CREATE TABLE read_models.assignment_events (
    tenant_id uuid NOT NULL,
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    user_set bigint,
    user_cleared boolean NOT NULL,
    group_set bigint,
    group_cleared boolean NOT NULL,
    done_by bigint,
    PRIMARY KEY (tenant_id, position)
);
CREATE INDEX assignment_events_by_time ON read_models.assignment_events (tenant_id, timestamp DESC, position DESC);
CREATE INDEX assignment_events_of_chat
    ON read_models.assignment_events (tenant_id, wa_id, timestamp DESC, position DESC);
COMMENT ON TABLE read_models.assignment_events IS 'Who assigned which chat to whom when.';
COMMENT ON COLUMN read_models.assignment_events.done_by IS 'The user; null for the rule engine or the system.';
