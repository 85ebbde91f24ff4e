-- Groups that were deleted stay known to the histories, and lists of a restricted user's chats are counted as fast as
-- everybody's: read models of what belongs to whom.

ALTER TABLE read_models.groups ADD COLUMN deleted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN read_models.groups.deleted IS 'Whether it is no more; histories still name it.';
CREATE INDEX users_ended ON read_models.users (tenant_id, id) WHERE deactivated;
CREATE INDEX groups_deleted ON read_models.groups (tenant_id, id) WHERE deleted;

CREATE TABLE read_models.chat_shares (
    tenant_id uuid NOT NULL,
    assigned_user bigint NOT NULL,
    assigned_group bigint NOT NULL,
    chats bigint NOT NULL,
    messages bigint NOT NULL,
    PRIMARY KEY (tenant_id, assigned_user, assigned_group)
) WITH (fillfactor = 50);
COMMENT ON TABLE read_models.chat_shares IS 'How many chats each user and group holds together, so that the length of their lists is known without counting.';
COMMENT ON COLUMN read_models.chat_shares.assigned_user IS 'The user; 0 for chats of a group alone.';
COMMENT ON COLUMN read_models.chat_shares.assigned_group IS 'The group; 0 for chats of a user alone.';
COMMENT ON COLUMN read_models.chat_shares.messages IS 'How many messages are in these chats.';
INSERT INTO read_models.chat_shares (tenant_id, assigned_user, assigned_group, chats, messages)
    SELECT tenant_id, coalesce(assigned_user, 0), coalesce(assigned_group, 0), count(*), sum(message_total)
      FROM read_models.chats WHERE assigned_user IS NOT NULL OR assigned_group IS NOT NULL GROUP BY 1, 2, 3;

-- The newest messages of a user's or group's chats are in the chats whose own newest message is newest.
CREATE INDEX chats_of_user_newest ON read_models.chats (tenant_id, assigned_user, last_timestamp DESC, last_position DESC)
    WHERE assigned_user IS NOT NULL;
CREATE INDEX chats_of_group_newest ON read_models.chats (tenant_id, assigned_group, last_timestamp DESC, last_position DESC)
    WHERE assigned_group IS NOT NULL;
