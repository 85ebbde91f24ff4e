-- Read models of the address book, of saved responses and of bulk messages.
CREATE TABLE read_models.contacts (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    phone_numbers json NOT NULL,
    email_addresses json NOT NULL,
    search text COLLATE "C" NOT NULL,
    digits text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, wa_id)
);
CREATE INDEX contacts_by_name ON read_models.contacts (tenant_id, name_key, wa_id);
COMMENT ON TABLE read_models.contacts IS 'Customers that are saved in the address book. Those who only wrote are in persons.';
COMMENT ON COLUMN read_models.contacts.name IS 'The saved name; empty when nobody knows one.';
COMMENT ON COLUMN read_models.contacts.name_key IS 'The beginning of the name in lower case, for ordering.';
COMMENT ON COLUMN read_models.contacts.phone_numbers IS 'A list of objects with phone_number and description.';
COMMENT ON COLUMN read_models.contacts.email_addresses IS 'A list of objects with email_address and description.';
COMMENT ON COLUMN read_models.contacts.search IS 'Name and email addresses in lower case, for searching.';
COMMENT ON COLUMN read_models.contacts.digits IS 'The digits of the id and of every phone number, a line each, for searching.';
-- As for persons (0014): without the extensions the same queries read the tenant's contacts one by one.
DO $$
BEGIN
    CREATE INDEX contacts_by_text ON read_models.contacts
        USING gin (tenant_id, search gin_trgm_ops, digits gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'contacts are searched without an index: %', SQLERRM;
END
$$;

-- As search_persons (0030): under a policy LIKE may not use the index, so this searches with the owner's rights, in the
-- reader's tenant and no other. The role is made here as there, whichever comes first.
CREATE FUNCTION read_models.search_contacts(pattern text) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT s.wa_id FROM read_models.contacts s
     WHERE s.tenant_id = current_setting('chatledger.tenant')::uuid AND s.search LIKE pattern
$$;
COMMENT ON FUNCTION read_models.search_contacts IS 'The WhatsApp ids of the saved contacts of tenant chatledger.tenant whose name or email addresses are like the pattern.';
REVOKE ALL ON FUNCTION read_models.search_contacts FROM PUBLIC;
DO $$
BEGIN
    BEGIN
        CREATE ROLE chatledger_reader NOLOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    GRANT EXECUTE ON FUNCTION read_models.search_contacts TO chatledger_reader;
EXCEPTION
    WHEN insufficient_privilege OR undefined_object THEN
        RAISE NOTICE 'no second layer between tenants: an administrator has to CREATE ROLE chatledger_reader';
END
$$;

CREATE TABLE read_models.saved_responses (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    text text NOT NULL,
    text_key text COLLATE "C" NOT NULL,
    created_by bigint NOT NULL,
    timestamp bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX saved_responses_by_time ON read_models.saved_responses (tenant_id, timestamp DESC, id DESC);
COMMENT ON TABLE read_models.saved_responses IS 'Texts that all users of an inbox share. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.saved_responses.text_key IS 'The text in lower case, for searching.';
COMMENT ON COLUMN read_models.saved_responses.created_by IS 'The user that saved it.';

CREATE TABLE read_models.bulk_messages (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    position bigint NOT NULL,
    sender bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    payload json NOT NULL,
    recipients text[] COLLATE "C" NOT NULL,
    tags bigint[] NOT NULL,
    total bigint NOT NULL,
    done bigint NOT NULL,
    timestamp bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 80);
CREATE INDEX bulk_messages_by_position ON read_models.bulk_messages (tenant_id, position DESC);
CREATE INDEX bulk_messages_open ON read_models.bulk_messages (tenant_id, position) WHERE done < total;
COMMENT ON TABLE read_models.bulk_messages IS 'One message to many chats. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.bulk_messages.position IS 'The position of the event that created it.';
COMMENT ON COLUMN read_models.bulk_messages.recipients IS 'Those whom the sender named; total counts the chats of the tags too.';
COMMENT ON COLUMN read_models.bulk_messages.done IS 'Recipients whose outcome is known.';

CREATE TABLE read_models.bulk_elements (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    task uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    message_id uuid,
    waba_id text COLLATE "C",
    errors json,
    reason text,
    timestamp bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX bulk_elements_of_task ON read_models.bulk_elements (tenant_id, task, id DESC);
COMMENT ON TABLE read_models.bulk_elements IS 'What became of each recipient''s message. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.bulk_elements.id IS 'The position of the event that says so.';
COMMENT ON COLUMN read_models.bulk_elements.outcome IS 'accepted, queued, rejected (by WhatsApp), not_allowed, window_closed or invalid.';
COMMENT ON COLUMN read_models.bulk_elements.errors IS 'WhatsApp''s errors.';
COMMENT ON COLUMN read_models.bulk_elements.reason IS 'Why it could not be sent, in one sentence.';
