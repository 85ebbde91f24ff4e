-- Views for people who ask questions in SQL: names beside ids, times as timestamps, a comment on everything. Read
-- models may be changed and rebuilt by those who own them; these views are the promise that holds meanwhile. A column
-- is added, never renamed or removed; a test holds that against a committed list.
--
-- They are plain views and keep nothing, so what is erased from the read models is gone here too. They run with their
-- owner's rights and show each reader the tenants that `analytics.readers` names, and no others. Each is a security
-- barrier: what a reader writes into a query never sees a row that the view would not show.

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'Stable views for questions in SQL. A role that may read them: chatledger analytics grant.';

CREATE TABLE analytics.readers (
    tenant_id uuid NOT NULL,
    role text COLLATE "C" NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, role)
);
COMMENT ON TABLE analytics.readers IS 'Which role of the database sees which tenant in the views.';
COMMENT ON COLUMN analytics.readers.tenant_id IS 'The tenant; all zeros for every tenant, those of tomorrow too.';
COMMENT ON COLUMN analytics.readers.role IS 'The role''s name.';
COMMENT ON COLUMN analytics.readers.granted_at IS 'When it was let in.';

-- Whoever has the rights of the tables' owner needs no row: it could read the tables themselves.
CREATE VIEW analytics.tenants WITH (security_barrier) AS
SELECT t.tenant_id, t.slug AS tenant, t.name AS tenant_name
  FROM read_models.tenants t
 WHERE EXISTS (SELECT FROM analytics.readers r
                WHERE r.tenant_id IN (t.tenant_id, '00000000-0000-0000-0000-000000000000') AND r.role = current_user)
    OR pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'analytics.readers'::regclass),
           'USAGE');
COMMENT ON VIEW analytics.tenants IS 'The inboxes that you may see.';
COMMENT ON COLUMN analytics.tenants.tenant_name IS 'Its name for people.';

CREATE VIEW analytics.users WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, u.id AS user_id, u.username, u.first_name, u.last_name, u.role,
       CASE u.role WHEN 'app' THEN 'program' ELSE 'person' END AS kind,
       u.activated AND NOT u.deactivated AS is_active, u.is_available
  FROM analytics.tenants t JOIN read_models.users u USING (tenant_id);
COMMENT ON VIEW analytics.users IS 'Users, also those whose access has ended: histories name them.';
COMMENT ON COLUMN analytics.users.role IS 'admin, user or app.';
COMMENT ON COLUMN analytics.users.kind IS 'program for the role app, else person.';
COMMENT ON COLUMN analytics.users.is_active IS 'Whether it can log in: activated, and its access has not ended.';
COMMENT ON COLUMN analytics.users.is_available IS 'Whether it takes chats of round robin.';
COMMENT ON COLUMN analytics.users.first_name IS 'May be empty.';
COMMENT ON COLUMN analytics.users.last_name IS 'May be empty.';

CREATE VIEW analytics.groups WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, g.id AS group_id, g.name AS group_name, g.built_in AS gives_role, g.deleted AS is_deleted
  FROM analytics.tenants t JOIN read_models.groups g USING (tenant_id);
COMMENT ON VIEW analytics.groups IS 'Groups of users, also deleted ones: histories name them.';
COMMENT ON COLUMN analytics.groups.gives_role IS 'admin, user or app for the three built-in groups, else null.';
COMMENT ON COLUMN analytics.groups.is_deleted IS 'Whether it is no more.';

CREATE VIEW analytics.tags WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, g.id AS tag_id, g.name AS tag, g.web_inbox_color AS color
  FROM analytics.tenants t JOIN read_models.tags g USING (tenant_id);
COMMENT ON VIEW analytics.tags IS 'Tags that exist now, with the name of now.';
COMMENT ON COLUMN analytics.tags.color IS 'Its colour in the Web Inbox; null where it has none.';

CREATE VIEW analytics.contacts WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, wa_id, coalesce(nullif(c.name, ''), nullif(p.name, ''), wa_id) AS contact,
       nullif(c.name, '') AS saved_name, nullif(p.name, '') AS profile_name, c.wa_id IS NOT NULL AS is_saved,
       coalesce(c.phone_numbers, '[]') AS phone_numbers, coalesce(c.email_addresses, '[]') AS email_addresses,
       to_timestamp(p.last_message_timestamp) AS last_written_at, to_timestamp(p.referred_at) AS referred_at,
       coalesce(p.resolved, false) AS is_resolved,
       to_timestamp(greatest(p.last_message_timestamp + 86400,
           CASE WHEN s.free_entry_window THEN p.referred_at + 259200 END)) AS window_closes_at
  FROM (read_models.persons p FULL JOIN read_models.contacts c USING (tenant_id, wa_id))
  JOIN analytics.tenants t USING (tenant_id) JOIN read_models.tenants s USING (tenant_id);
COMMENT ON VIEW analytics.contacts IS 'Every customer: who wrote, was written to, or is saved in the address book.';
COMMENT ON COLUMN analytics.contacts.saved_name IS 'The name in the address book; null where there is none.';
COMMENT ON COLUMN analytics.contacts.profile_name IS 'The name that the customer gave itself in WhatsApp; null where none was seen.';
COMMENT ON COLUMN analytics.contacts.is_saved IS 'Whether it is in the address book.';
COMMENT ON COLUMN analytics.contacts.phone_numbers IS 'From the address book: a list of objects with phone_number and description.';
COMMENT ON COLUMN analytics.contacts.email_addresses IS 'From the address book: a list of objects with email_address and description.';
COMMENT ON COLUMN analytics.contacts.is_resolved IS 'Whether a user said that its chat is resolved, and it has not written since.';

CREATE VIEW analytics.chats WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, h.wa_id,
       coalesce(nullif(b.name, ''), nullif(p.name, ''), h.wa_id) AS contact, to_timestamp(h.last_timestamp) AS last_message_at,
       h.last_message_id, coalesce(m.from_us, false) AS last_message_is_ours,
       to_timestamp(h.written_at) AS last_written_at, to_timestamp(h.sent_at) AS last_sent_at,
       h.message_total AS messages, h.incoming_total AS incoming, h.message_total - h.incoming_total AS outgoing,
       h.assigned_user AS assigned_user_id, u.username AS assigned_user,
       h.assigned_group AS assigned_group_id, g.name AS assigned_group,
       coalesce(p.resolved, false) AS is_resolved,
       to_timestamp(greatest(p.last_message_timestamp + 86400,
           CASE WHEN s.free_entry_window THEN p.referred_at + 259200 END)) AS window_closes_at
  FROM analytics.tenants t JOIN read_models.chats h USING (tenant_id) JOIN read_models.tenants s USING (tenant_id)
  LEFT JOIN read_models.contacts b ON b.tenant_id = h.tenant_id AND b.wa_id = h.wa_id
  LEFT JOIN read_models.persons p ON p.tenant_id = h.tenant_id AND p.wa_id = h.wa_id
  LEFT JOIN read_models.messages m ON m.tenant_id = h.tenant_id AND m.message_id = h.last_message_id
  LEFT JOIN read_models.users u ON u.tenant_id = h.tenant_id AND u.id = h.assigned_user
  LEFT JOIN read_models.groups g ON g.tenant_id = h.tenant_id AND g.id = h.assigned_group;
COMMENT ON VIEW analytics.chats IS 'One row per chat, which is the endless thread with one customer.';
COMMENT ON COLUMN analytics.chats.last_message_at IS 'When the newest message was written, by either side.';
COMMENT ON COLUMN analytics.chats.last_message_id IS 'The newest message; joins messages.';
COMMENT ON COLUMN analytics.chats.last_message_is_ours IS 'Whether the newest message is ours.';
COMMENT ON COLUMN analytics.chats.last_sent_at IS 'The newest message of ours; null where there is none.';
COMMENT ON COLUMN analytics.chats.messages IS 'How many messages it holds.';
COMMENT ON COLUMN analytics.chats.incoming IS 'How many of them the customer wrote.';
COMMENT ON COLUMN analytics.chats.outgoing IS 'How many of them are ours.';
COMMENT ON COLUMN analytics.chats.assigned_user_id IS 'Who has it; null for nobody.';
COMMENT ON COLUMN analytics.chats.assigned_user IS 'The username of who has it.';
COMMENT ON COLUMN analytics.chats.assigned_group_id IS 'Which group has it; null for none.';
COMMENT ON COLUMN analytics.chats.assigned_group IS 'The name of the group that has it.';
COMMENT ON COLUMN analytics.chats.is_resolved IS 'Whether a user said that it is resolved, and the customer has not written since.';

CREATE VIEW analytics.messages WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, m.position, to_timestamp(m.timestamp) AS occurred_at, m.wa_id,
       coalesce(nullif(b.name, ''), nullif(p.name, ''), m.wa_id) AS contact,
       m.message_id, m.waba_id, CASE WHEN m.from_us THEN 'outgoing' ELSE 'incoming' END AS direction, m.kind,
       CASE WHEN NOT m.from_us THEN 'customer' WHEN m.sender IS NULL THEN 'phone'
            WHEN u.role = 'app' THEN 'program' ELSE 'person' END AS sender_kind,
       m.sender AS sender_id, u.username AS sender, m.search AS text_lower,
       to_timestamp(nullif(m.sent, 0)) AS sent_at, to_timestamp(nullif(m.delivered, 0)) AS delivered_at,
       to_timestamp(nullif(m.read, 0)) AS read_at, m.is_failed, m.errors, m.context AS quoted_waba_id, m.payload
  FROM analytics.tenants t JOIN read_models.messages m USING (tenant_id)
  LEFT JOIN read_models.contacts b ON b.tenant_id = m.tenant_id AND b.wa_id = m.wa_id
  LEFT JOIN read_models.persons p ON p.tenant_id = m.tenant_id AND p.wa_id = m.wa_id
  LEFT JOIN read_models.users u ON u.tenant_id = m.tenant_id AND u.id = m.sender;
COMMENT ON VIEW analytics.messages IS 'Every message in either direction. By hour, day or week of another zone: date_trunc(''day'', occurred_at, ''Europe/Lisbon'').';
COMMENT ON COLUMN analytics.messages.occurred_at IS 'When the customer wrote it, or when ours was queued; to the second.';
COMMENT ON COLUMN analytics.messages.direction IS 'incoming or outgoing.';
COMMENT ON COLUMN analytics.messages.kind IS 'WhatsApp''s type: text, image, template, system ...';
COMMENT ON COLUMN analytics.messages.sender_kind IS 'customer; person or program for users of the inbox; phone for what the business wrote in WhatsApp''s own app.';
COMMENT ON COLUMN analytics.messages.sender_id IS 'The user that wrote it; null for the customer and the phone.';
COMMENT ON COLUMN analytics.messages.sender IS 'The username of who wrote it.';
COMMENT ON COLUMN analytics.messages.text_lower IS 'The text that people see in it, in lower case; empty where there is none.';
COMMENT ON COLUMN analytics.messages.sent_at IS 'When WhatsApp first reported it as sent; null for never, and for the customer''s.';
COMMENT ON COLUMN analytics.messages.delivered_at IS 'When it was first reported as delivered; null for never.';
COMMENT ON COLUMN analytics.messages.read_at IS 'When it was first reported as read; null for never.';
COMMENT ON COLUMN analytics.messages.is_failed IS 'Whether WhatsApp refused it or reported that it failed.';
COMMENT ON COLUMN analytics.messages.errors IS 'WhatsApp''s errors; null where there are none.';
COMMENT ON COLUMN analytics.messages.quoted_waba_id IS 'WhatsApp''s id of the message that it answers; null where it quotes none.';
COMMENT ON COLUMN analytics.messages.payload IS 'WhatsApp''s object, byte by byte. May hold what JSON functions of Postgres refuse.';

CREATE VIEW analytics.taggings WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, s.tagging_id, s.subject, s.wa_id,
       coalesce(nullif(b.name, ''), nullif(p.name, ''), s.wa_id) AS contact, s.message_id, s.tag_id, g.name AS tag,
       to_timestamp(s.timestamp) AS tagged_at, s.done_by AS done_by_id, u.username AS done_by, s.extra
  FROM analytics.tenants t
  JOIN (SELECT n.tenant_id, n.tagging_id, 'chat' AS subject, n.wa_id, NULL::uuid AS message_id, n.tag_id, n.extra,
               e.timestamp, e.done_by
          FROM read_models.chat_taggings n
          LEFT JOIN read_models.chat_tagging_events e ON e.tenant_id = n.tenant_id AND e.position = n.tagging_id
        UNION ALL
        SELECT n.tenant_id, n.tagging_id, 'message' AS subject, n.wa_id, n.message_id, n.tag_id, n.extra, e.timestamp, e.done_by
          FROM read_models.message_taggings n
          LEFT JOIN read_models.message_tagging_events e ON e.tenant_id = n.tenant_id AND e.position = n.tagging_id) s
       USING (tenant_id)
  LEFT JOIN read_models.contacts b ON b.tenant_id = s.tenant_id AND b.wa_id = s.wa_id
  LEFT JOIN read_models.persons p ON p.tenant_id = s.tenant_id AND p.wa_id = s.wa_id
  LEFT JOIN read_models.tags g ON g.tenant_id = s.tenant_id AND g.id = s.tag_id
  LEFT JOIN read_models.users u ON u.tenant_id = s.tenant_id AND u.id = s.done_by;
COMMENT ON VIEW analytics.taggings IS 'Tags that chats and messages carry now. What was and is no more: tagging_events.';
COMMENT ON COLUMN analytics.taggings.tagging_id IS 'The tagging; also the position of the event that made it.';
COMMENT ON COLUMN analytics.taggings.tag IS 'The tag''s name of now; null while a deleted tag''s taggings are being removed.';
COMMENT ON COLUMN analytics.taggings.tagged_at IS 'When it was tagged, to the second.';

CREATE VIEW analytics.tagging_events WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, e.position, to_timestamp(e.timestamp) AS occurred_at, e.subject, e.wa_id,
       coalesce(nullif(b.name, ''), nullif(p.name, ''), e.wa_id) AS contact,
       e.message_id, e.waba_id, CASE WHEN e.added THEN 'added' ELSE 'removed' END AS action,
       e.tag_id, e.tag_name AS tag, e.done_by AS done_by_id, u.username AS done_by, e.extra
  FROM analytics.tenants t
  JOIN (SELECT tenant_id, position, timestamp, 'chat' AS subject, wa_id, NULL::uuid AS message_id,
               NULL::text AS waba_id, added, tag_id, tag_name, done_by, extra
          FROM read_models.chat_tagging_events
        UNION ALL
        SELECT tenant_id, position, timestamp, 'message' AS subject, wa_id, message_id, waba_id, added, tag_id, tag_name, done_by,
               extra
          FROM read_models.message_tagging_events) e USING (tenant_id)
  LEFT JOIN read_models.contacts b ON b.tenant_id = e.tenant_id AND b.wa_id = e.wa_id
  LEFT JOIN read_models.persons p ON p.tenant_id = e.tenant_id AND p.wa_id = e.wa_id
  LEFT JOIN read_models.users u ON u.tenant_id = e.tenant_id AND u.id = e.done_by;
COMMENT ON VIEW analytics.tagging_events IS 'Who tagged and untagged which chat or message when. Nothing is ever taken out.';
COMMENT ON COLUMN analytics.tagging_events.action IS 'added or removed.';
COMMENT ON COLUMN analytics.tagging_events.tag IS 'The tag''s name as it was then.';

CREATE VIEW analytics.assignment_events WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, e.position, to_timestamp(e.timestamp) AS occurred_at, e.wa_id,
       coalesce(nullif(b.name, ''), nullif(p.name, ''), e.wa_id) AS contact,
       e.user_set AS user_set_id, s.username AS user_set, e.user_cleared,
       e.group_set AS group_set_id, g.name AS group_set, e.group_cleared,
       e.done_by AS done_by_id, u.username AS done_by
  FROM analytics.tenants t JOIN read_models.assignment_events e USING (tenant_id)
  LEFT JOIN read_models.contacts b ON b.tenant_id = e.tenant_id AND b.wa_id = e.wa_id
  LEFT JOIN read_models.persons p ON p.tenant_id = e.tenant_id AND p.wa_id = e.wa_id
  LEFT JOIN read_models.users s ON s.tenant_id = e.tenant_id AND s.id = e.user_set
  LEFT JOIN read_models.groups g ON g.tenant_id = e.tenant_id AND g.id = e.group_set
  LEFT JOIN read_models.users u ON u.tenant_id = e.tenant_id AND u.id = e.done_by;
COMMENT ON VIEW analytics.assignment_events IS 'Who assigned which chat to whom when. What an event neither sets nor clears stays as it was.';
COMMENT ON COLUMN analytics.assignment_events.user_set_id IS 'The user that got the chat; null where the user stayed or was cleared.';
COMMENT ON COLUMN analytics.assignment_events.user_set IS 'The username of who got the chat.';
COMMENT ON COLUMN analytics.assignment_events.user_cleared IS 'Whether the chat was taken from its user and given to nobody.';
COMMENT ON COLUMN analytics.assignment_events.group_set_id IS 'The group that got the chat; null where the group stayed or was cleared.';
COMMENT ON COLUMN analytics.assignment_events.group_set IS 'The name of the group that got the chat.';
COMMENT ON COLUMN analytics.assignment_events.group_cleared IS 'Whether the chat was taken from its group and given to none.';
