-- Groups that were deleted stay known to the histories, and lists of a restricted user's chats are counted as fast as
-- everybody's: read models of what belongs to whom.

ALTER TABLE read_models.groups ADD COLUMN deleted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN read_models.groups.deleted IS 'Whether it is no more; histories still name it.';
CREATE INDEX users_ended ON read_models.users (tenant_id, id) WHERE deactivated;
CREATE INDEX groups_deleted ON read_models.groups (tenant_id, id) WHERE deleted;
