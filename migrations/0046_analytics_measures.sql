-- Views that measure: consent, response times, messages by hour, day and week, agents' load. They stand on the views of
-- 0041 and follow the same promise. At the end: comments on columns that mean the same in every view, and the function
-- that lets a role in.

-- An opt-in has no event yet. What is known is that a customer wrote, and until when that lets us answer freely; the
-- columns about opt-ins are here so that they can be filled without a change of form.
CREATE VIEW analytics.consent WITH (security_barrier) AS
SELECT c.tenant_id, c.tenant, c.wa_id, c.contact, c.last_written_at IS NOT NULL AS has_written, c.last_written_at,
       c.referred_at, c.window_closes_at, coalesce(now() < c.window_closes_at, false) AS is_window_open,
       'unknown'::text AS opt_in, NULL::timestamptz AS opt_in_at
  FROM analytics.contacts c;
COMMENT ON VIEW analytics.consent IS 'What is recorded of a customer''s wish to hear from us: when it last wrote, and until when WhatsApp''s window is open. No opt-in is recorded today.';
COMMENT ON COLUMN analytics.consent.has_written IS 'Whether the customer ever wrote to us.';
COMMENT ON COLUMN analytics.consent.is_window_open IS 'Whether anything may be sent at this moment; outside the window only templates may.';
COMMENT ON COLUMN analytics.consent.opt_in IS 'unknown: nobody recorded the customer''s word. given and withdrawn will be the other values once it can be recorded.';
COMMENT ON COLUMN analytics.consent.opt_in_at IS 'Since when opt_in is so; null while it is unknown.';

-- A turn of the customer begins with its first message after one of ours (or its first of all) and takes in what it
-- writes until we answer. Messages of ours that failed answer nothing; notices of the system are nobody's words. One
-- walk over a chat from its newest message back: what has been seen then came later.
CREATE VIEW analytics.response_times WITH (security_barrier) AS
WITH words AS (
    SELECT m.tenant_id, m.wa_id, m.timestamp, m.position, m.from_us,
           count(*) FILTER (WHERE m.from_us) OVER later AS answers_later,
           min(ARRAY[m.timestamp, m.position, m.sender]) FILTER (WHERE m.from_us) OVER later AS answer,
           min(ARRAY[m.timestamp, m.position, m.sender])
               FILTER (WHERE m.from_us AND u.role IS DISTINCT FROM 'app') OVER later AS by_person
      FROM read_models.messages m
      LEFT JOIN read_models.users u ON u.tenant_id = m.tenant_id AND u.id = m.sender
     WHERE m.kind <> 'system' AND NOT (m.from_us AND m.is_failed)
    WINDOW later AS (PARTITION BY m.tenant_id, m.wa_id ORDER BY m.timestamp DESC, m.position DESC
                     ROWS UNBOUNDED PRECEDING)
), turns AS (
    SELECT tenant_id, wa_id, min(ARRAY[timestamp, position]) AS question, count(*) AS incoming, answer, by_person
      FROM words WHERE NOT from_us GROUP BY tenant_id, wa_id, answers_later, answer, by_person
)
SELECT t.tenant_id, t.tenant, s.wa_id,
       coalesce(nullif(b.name, ''), nullif(n.name, ''), s.wa_id) AS contact, s.question[2] AS position, to_timestamp(s.question[1]) AS asked_at,
       s.incoming, s.answer[2] AS answer_position, to_timestamp(s.answer[1]) AS answered_at,
       s.answer[1] - s.question[1] AS answer_seconds,
       CASE WHEN s.answer IS NULL THEN NULL WHEN s.answer[3] IS NULL THEN 'phone'
            WHEN u.role = 'app' THEN 'program' ELSE 'person' END AS answered_by_kind,
       s.answer[3] AS answered_by_id, u.username AS answered_by,
       to_timestamp(s.by_person[1]) AS person_answered_at, s.by_person[1] - s.question[1] AS person_seconds,
       s.by_person[3] AS person_id, p.username AS person
  FROM analytics.tenants t JOIN turns s USING (tenant_id)
  LEFT JOIN read_models.contacts b ON b.tenant_id = s.tenant_id AND b.wa_id = s.wa_id
  LEFT JOIN read_models.persons n ON n.tenant_id = s.tenant_id AND n.wa_id = s.wa_id
  LEFT JOIN read_models.users u ON u.tenant_id = s.tenant_id AND u.id = s.answer[3]
  LEFT JOIN read_models.users p ON p.tenant_id = s.tenant_id AND p.id = s.by_person[3];
COMMENT ON VIEW analytics.response_times IS 'One row per turn of a customer: from its first message after one of ours, or its first of all, to our next message that did not fail. Notices of the system count for nobody.';
COMMENT ON COLUMN analytics.response_times.position IS 'The turn''s first message: its place in the ledger; joins messages.';
COMMENT ON COLUMN analytics.response_times.asked_at IS 'When the turn''s first message was written, to the second.';
COMMENT ON COLUMN analytics.response_times.incoming IS 'How many messages the customer wrote in this turn.';
COMMENT ON COLUMN analytics.response_times.answer_position IS 'The message that answered: its place in the ledger; joins messages. Null while nobody has answered.';
COMMENT ON COLUMN analytics.response_times.answered_at IS 'When it was answered; null while nobody has.';
COMMENT ON COLUMN analytics.response_times.answer_seconds IS 'From asked_at to answered_at, in seconds.';
COMMENT ON COLUMN analytics.response_times.answered_by_kind IS 'person or program for users of the inbox, phone for WhatsApp''s own app; null while nobody has answered.';
COMMENT ON COLUMN analytics.response_times.answered_by_id IS 'The user that answered; null for the phone.';
COMMENT ON COLUMN analytics.response_times.answered_by IS 'The username of who answered.';
COMMENT ON COLUMN analytics.response_times.person_answered_at IS 'The next message of a person or the phone after the turn began, though a program answered before it; null while there is none.';
COMMENT ON COLUMN analytics.response_times.person_seconds IS 'From asked_at to person_answered_at, in seconds.';
COMMENT ON COLUMN analytics.response_times.person_id IS 'The user that wrote that message; null for the phone.';
COMMENT ON COLUMN analytics.response_times.person IS 'The username of that user.';

CREATE VIEW analytics.messages_by_hour WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, date_trunc('hour', to_timestamp(m.timestamp), 'UTC') AS hour, count(*) AS messages,
       count(*) FILTER (WHERE NOT m.from_us) AS incoming, count(*) FILTER (WHERE m.from_us) AS outgoing,
       count(*) FILTER (WHERE m.from_us AND u.role = 'app') AS by_programs,
       count(*) FILTER (WHERE m.from_us AND m.is_failed) AS failed, count(DISTINCT m.wa_id) AS chats,
       count(DISTINCT m.wa_id) FILTER (WHERE NOT m.from_us) AS customers
  FROM analytics.tenants t JOIN read_models.messages m USING (tenant_id)
  LEFT JOIN read_models.users u ON u.tenant_id = m.tenant_id AND u.id = m.sender
 GROUP BY t.tenant_id, t.tenant, 3;
COMMENT ON VIEW analytics.messages_by_hour IS 'Messages by hour of UTC. Hours without messages have no row.';
COMMENT ON COLUMN analytics.messages_by_hour.hour IS 'When the hour begins.';

CREATE VIEW analytics.messages_by_day WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, (to_timestamp(m.timestamp) AT TIME ZONE 'UTC')::date AS day, count(*) AS messages,
       count(*) FILTER (WHERE NOT m.from_us) AS incoming, count(*) FILTER (WHERE m.from_us) AS outgoing,
       count(*) FILTER (WHERE m.from_us AND u.role = 'app') AS by_programs,
       count(*) FILTER (WHERE m.from_us AND m.is_failed) AS failed, count(DISTINCT m.wa_id) AS chats,
       count(DISTINCT m.wa_id) FILTER (WHERE NOT m.from_us) AS customers
  FROM analytics.tenants t JOIN read_models.messages m USING (tenant_id)
  LEFT JOIN read_models.users u ON u.tenant_id = m.tenant_id AND u.id = m.sender
 GROUP BY t.tenant_id, t.tenant, 3;
COMMENT ON VIEW analytics.messages_by_day IS 'Messages by day of UTC. Days without messages have no row.';
COMMENT ON COLUMN analytics.messages_by_day.day IS 'The day.';

CREATE VIEW analytics.messages_by_week WITH (security_barrier) AS
SELECT t.tenant_id, t.tenant, date_trunc('week', to_timestamp(m.timestamp) AT TIME ZONE 'UTC')::date AS week,
       count(*) AS messages, count(*) FILTER (WHERE NOT m.from_us) AS incoming,
       count(*) FILTER (WHERE m.from_us) AS outgoing, count(*) FILTER (WHERE m.from_us AND u.role = 'app') AS by_programs,
       count(*) FILTER (WHERE m.from_us AND m.is_failed) AS failed, count(DISTINCT m.wa_id) AS chats,
       count(DISTINCT m.wa_id) FILTER (WHERE NOT m.from_us) AS customers
  FROM analytics.tenants t JOIN read_models.messages m USING (tenant_id)
  LEFT JOIN read_models.users u ON u.tenant_id = m.tenant_id AND u.id = m.sender
 GROUP BY t.tenant_id, t.tenant, 3;
COMMENT ON VIEW analytics.messages_by_week IS 'Messages by week of UTC. Weeks without messages have no row.';
COMMENT ON COLUMN analytics.messages_by_week.week IS 'The Monday on which the week begins (ISO 8601).';

-- The newest word decides who is waited for; where it is the customer's, the customer waits.
CREATE VIEW analytics.agent_load WITH (security_barrier) AS
SELECT u.tenant_id, u.tenant, u.user_id, u.username, u.kind, u.is_active, u.is_available,
       coalesce(h.chats, 0) AS chats, coalesce(h.open_chats, 0) AS open_chats,
       coalesce(h.waiting_chats, 0) AS waiting_chats, to_timestamp(h.waiting_since) AS waiting_since
  FROM analytics.users u
  LEFT JOIN (SELECT h.tenant_id, h.assigned_user, count(*) AS chats, count(*) FILTER (WHERE NOT p.resolved) AS open_chats,
                    count(*) FILTER (WHERE NOT p.resolved AND NOT m.from_us) AS waiting_chats,
                    min(h.last_timestamp) FILTER (WHERE NOT p.resolved AND NOT m.from_us) AS waiting_since
               FROM read_models.chats h
               JOIN read_models.persons p ON p.tenant_id = h.tenant_id AND p.wa_id = h.wa_id
               JOIN read_models.messages m ON m.tenant_id = h.tenant_id AND m.message_id = h.last_message_id
              WHERE h.assigned_user IS NOT NULL GROUP BY h.tenant_id, h.assigned_user) h
       ON h.tenant_id = u.tenant_id AND h.assigned_user = u.user_id;
COMMENT ON VIEW analytics.agent_load IS 'How much each user has on its hands at this moment; one row per user, also for those with nothing.';
COMMENT ON COLUMN analytics.agent_load.kind IS 'person or program.';
COMMENT ON COLUMN analytics.agent_load.is_active IS 'Whether it can log in.';
COMMENT ON COLUMN analytics.agent_load.is_available IS 'Whether it takes chats of round robin.';
COMMENT ON COLUMN analytics.agent_load.chats IS 'How many chats are assigned to it.';
COMMENT ON COLUMN analytics.agent_load.open_chats IS 'How many of them are not resolved.';
COMMENT ON COLUMN analytics.agent_load.waiting_chats IS 'How many of those end with a message of the customer.';
COMMENT ON COLUMN analytics.agent_load.waiting_since IS 'The newest message of the chat that has waited longest; null where none waits.';

-- What means the same in every view is said here once.
DO $$
DECLARE
    meaning record;
    at record;
BEGIN
    FOR meaning IN SELECT * FROM (VALUES
        ('tenant_id', 'The inbox.'),
        ('tenant', 'The short name of the inbox.'),
        ('wa_id', 'The customer''s WhatsApp id: digits of the phone number, or an id that WhatsApp gives instead.'),
        ('contact', 'The customer''s name: as saved, else as in its WhatsApp profile, else the WhatsApp id.'),
        ('position', 'The place of the event in the inbox''s ledger: unique, in the order in which things were recorded.'),
        ('occurred_at', 'When it happened, to the second.'),
        ('message_id', 'Our id of the message; null where there is none.'),
        ('waba_id', 'WhatsApp''s id of the message; null where it has none.'),
        ('subject', 'chat or message: what carries the tag.'),
        ('tag_id', 'The tag; joins tags while it exists.'),
        ('tag', 'The tag''s name.'),
        ('extra', 'What the caller wanted kept with the tagging; null where nothing.'),
        ('done_by_id', 'The user that did it; null for the rule engine or the system.'),
        ('done_by', 'The username of who did it.'),
        ('user_id', 'The user.'),
        ('username', 'The user''s name for logging in, as it is now.'),
        ('group_id', 'The group.'),
        ('group_name', 'The group''s name, as it is now or was last.'),
        ('last_written_at', 'The customer''s newest message, never later than its receipt; null where it never wrote.'),
        ('referred_at', 'The customer''s newest message that came by an ad; null where none did.'),
        ('window_closes_at', 'When WhatsApp''s window closes: 24 hours after the customer''s newest message, 72 after an ad''s where the inbox allows it; null where it was never open.'),
        ('messages', 'How many messages.'),
        ('incoming', 'How many of them customers wrote.'),
        ('outgoing', 'How many of them are ours.'),
        ('by_programs', 'How many of ours programs wrote.'),
        ('failed', 'How many of ours failed.'),
        ('chats', 'In how many chats.'),
        ('customers', 'How many customers wrote.')
    ) AS all_meanings (name, text) LOOP
        FOR at IN
            SELECT a.attrelid, a.attnum, c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v' AND a.attname = meaning.name
               AND col_description(a.attrelid, a.attnum) IS NULL
        LOOP
            EXECUTE format('COMMENT ON COLUMN analytics.%I.%I IS %L', at.relname, meaning.name, meaning.text);
        END LOOP;
    END LOOP;
END
$$;

-- Called when a role is let in, and by every start for all that are, so that a view made later reaches them too.
CREATE FUNCTION analytics.admit(reader text) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    shown pg_catalog.regclass;
BEGIN
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA analytics TO %I', reader);
    FOR shown IN
        SELECT c.oid FROM pg_catalog.pg_class c
         WHERE c.relnamespace = 'analytics'::pg_catalog.regnamespace AND c.relkind = 'v'
    LOOP
        EXECUTE pg_catalog.format('GRANT SELECT ON %s TO %I', shown, reader);
    END LOOP;
END
$$;
COMMENT ON FUNCTION analytics.admit IS 'Lets a role read the views. Which tenants it sees in them is said in analytics.readers.';
REVOKE ALL ON FUNCTION analytics.admit FROM PUBLIC;
