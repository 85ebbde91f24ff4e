-- One number, one inbox: whoever connects a number claims its name in its own ledger, and this table holds such claims
-- across all tenants. It follows `ledger.claims` in the same transaction, so that two inboxes on two servers cannot both
-- have a number, whatever either has read before; imports and deletions of tenants are covered with it.

-- The one table above tenants: its rows are led by the nil tenant, which is nobody's.
CREATE TABLE ledger.numbers (
    tenant_id       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
                    CHECK (tenant_id = '00000000-0000-0000-0000-000000000000'),
    phone_number_id text COLLATE "C" NOT NULL,
    holder          uuid,
    PRIMARY KEY (tenant_id, phone_number_id)
);
COMMENT ON TABLE ledger.numbers IS 'WhatsApp numbers that are or were connected; follows the claims of numbers.';
COMMENT ON COLUMN ledger.numbers.tenant_id IS 'The nil tenant: a number is looked up before it is known whose it is.';
COMMENT ON COLUMN ledger.numbers.phone_number_id IS 'WhatsApp''s id of the number.';
COMMENT ON COLUMN ledger.numbers.holder IS 'The tenant that has it; null once it was given up. What comes for it then is left.';

CREATE FUNCTION ledger.follow_number() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE ledger.numbers n SET holder = NULL
         WHERE n.tenant_id = '00000000-0000-0000-0000-000000000000'
           AND n.phone_number_id = pg_catalog.substr(OLD.name, 8) AND n.holder = OLD.tenant_id;
        RETURN NULL;
    END IF;
    INSERT INTO ledger.numbers AS n (phone_number_id, holder) VALUES (pg_catalog.substr(NEW.name, 8), NEW.tenant_id)
        ON CONFLICT (tenant_id, phone_number_id) DO UPDATE SET holder = excluded.holder
            WHERE n.holder IS NULL OR n.holder = excluded.holder;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the WhatsApp number % is connected to another tenant', pg_catalog.substr(NEW.name, 8)
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'numbers_one_holder', SCHEMA = 'ledger', TABLE = 'numbers';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.follow_number IS 'Takes and gives back a number for all tenants, as its claim is taken and given back.';

-- Numbers that were connected before there were claims of them: those that are held, then those that were given up. Where
-- two inboxes had connected one at once, both keep what they have, and one of them has it here.
WITH newest AS (
    SELECT h.tenant_id, e.position, e.event_type, e.payload ->> 'phone_number_id' AS phone_number_id
      FROM ledger.heads h CROSS JOIN LATERAL (
          SELECT e.position, e.event_type, e.payload FROM ledger.events e
           WHERE e.tenant_id = h.tenant_id AND e.aggregate_type = 'WhatsAppAccount' AND e.aggregate_id = 'account'
              AND e.event_type IN ('AccountConnected', 'AccountDisconnected')
           ORDER BY e.sequence DESC LIMIT 1
      ) e
), held AS (
    INSERT INTO ledger.claims (tenant_id, name, position)
        SELECT n.tenant_id, 'number:' || n.phone_number_id, n.position FROM newest n
         WHERE n.event_type = 'AccountConnected'
    RETURNING tenant_id, name
)
INSERT INTO ledger.numbers (phone_number_id, holder)
    SELECT DISTINCT ON (h.name) substr(h.name, 8), h.tenant_id FROM held h ORDER BY h.name, h.tenant_id;
INSERT INTO ledger.numbers (phone_number_id)
    SELECT DISTINCT e.phone_number_id FROM ledger.heads h CROSS JOIN LATERAL (
        SELECT e.payload ->> 'phone_number_id' AS phone_number_id FROM ledger.events e
         WHERE e.tenant_id = h.tenant_id AND e.aggregate_type = 'WhatsAppAccount' AND e.aggregate_id = 'account'
            AND e.event_type = 'AccountDisconnected'
    ) e WHERE e.phone_number_id IS NOT NULL
    ON CONFLICT DO NOTHING;

CREATE TRIGGER numbers_taken AFTER INSERT ON ledger.claims
    FOR EACH ROW WHEN (NEW.name LIKE 'number:%') EXECUTE FUNCTION ledger.follow_number();
CREATE TRIGGER numbers_given_back AFTER DELETE ON ledger.claims
    FOR EACH ROW WHEN (OLD.name LIKE 'number:%') EXECUTE FUNCTION ledger.follow_number();

-- The account as the Service API shows it: one row for each inbox that was ever connected, of its newest connection.
CREATE TABLE read_models.whatsapp_accounts (
    tenant_id       uuid        PRIMARY KEY,
    connected_at    bigint      NOT NULL,
    phone_number_id text        COLLATE "C" NOT NULL,
    number          text        NOT NULL,
    webhook_url     text,
    is_connected    boolean     NOT NULL,
    is_refused      boolean     NOT NULL,
    tier            text        COLLATE "C" NOT NULL,
    since           timestamptz NOT NULL
);
COMMENT ON TABLE read_models.whatsapp_accounts IS 'The WhatsApp account of an inbox: its newest connection, ended or not.';
COMMENT ON COLUMN read_models.whatsapp_accounts.connected_at IS 'The position at which it was connected.';
COMMENT ON COLUMN read_models.whatsapp_accounts.phone_number_id IS 'WhatsApp''s id of the number.';
COMMENT ON COLUMN read_models.whatsapp_accounts.number IS 'The number as people read it.';
COMMENT ON COLUMN read_models.whatsapp_accounts.webhook_url IS 'The address that WhatsApp shall call, as whoever connected it has told; null where nobody did.';
COMMENT ON COLUMN read_models.whatsapp_accounts.is_connected IS 'False once it is disconnected.';
COMMENT ON COLUMN read_models.whatsapp_accounts.is_refused IS 'Whether WhatsApp refused the newest message that it answered for its access token.';
COMMENT ON COLUMN read_models.whatsapp_accounts.tier IS 'What WhatsApp lets it send on a day: tier_0 to tier_4.';
COMMENT ON COLUMN read_models.whatsapp_accounts.since IS 'When it was connected.';
