-- What WhatsApp lets a number send on a day: customers to whom a template went while their window was closed. Once as it
-- is recorded, for those who ask; and once as it is counted before anything is recorded, so that servers that send at
-- once never go beyond the limit together.

CREATE TABLE read_models.template_days (
    tenant_id uuid   NOT NULL,
    day       date   NOT NULL,
    customers bigint NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
COMMENT ON TABLE read_models.template_days IS 'How many customers were sent a template outside the 24-hour window; the newest day of each inbox and the one before.';
COMMENT ON COLUMN read_models.template_days.day IS 'Of UTC.';
COMMENT ON COLUMN read_models.template_days.customers IS 'Each counts once a day.';

CREATE TABLE read_models.template_day_customers (
    tenant_id uuid NOT NULL,
    day       date NOT NULL,
    wa_id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, day, wa_id)
);
COMMENT ON TABLE read_models.template_day_customers IS 'The customers that template_days counts.';
COMMENT ON COLUMN read_models.template_day_customers.day IS 'Of UTC.';
COMMENT ON COLUMN read_models.template_day_customers.wa_id IS 'WhatsApp''s id of the customer.';

-- Unlogged: after a crash of the database they are empty, and made anew from what is recorded.
CREATE UNLOGGED TABLE outbound.template_days (
    tenant_id uuid   NOT NULL,
    day       date   NOT NULL,
    customers bigint NOT NULL,
    PRIMARY KEY (tenant_id, day)
) WITH (fillfactor = 20);
COMMENT ON TABLE outbound.template_days IS 'How many customers are counted towards the daily limit, sent to or about to be.';
COMMENT ON COLUMN outbound.template_days.day IS 'Of UTC.';
COMMENT ON COLUMN outbound.template_days.customers IS 'Never more than the limit was when the last was counted.';

CREATE UNLOGGED TABLE outbound.template_day_customers (
    tenant_id uuid NOT NULL,
    day       date NOT NULL,
    wa_id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, day, wa_id)
);
COMMENT ON TABLE outbound.template_day_customers IS 'Customers that were counted, so that each is counted once a day.';
COMMENT ON COLUMN outbound.template_day_customers.day IS 'Of UTC.';
COMMENT ON COLUMN outbound.template_day_customers.wa_id IS 'WhatsApp''s id of the customer.';

-- One customer, one place of the day. Null where nothing is known of the day and nobody says how many were sent to.
CREATE FUNCTION outbound.count_customer(tenant uuid, of_day date, customer text, most bigint, used bigint)
    RETURNS boolean LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF used IS NOT NULL THEN
        INSERT INTO outbound.template_days (tenant_id, day, customers) VALUES (tenant, of_day, used)
            ON CONFLICT DO NOTHING;
    END IF;
    -- Whoever counts for the tenant waits here for whoever counts before.
    PERFORM FROM outbound.template_days d WHERE d.tenant_id = tenant AND d.day = of_day FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM FROM outbound.template_day_customers c
      WHERE c.tenant_id = tenant AND c.day = of_day AND c.wa_id = customer;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE outbound.template_days d SET customers = d.customers + 1
     WHERE d.tenant_id = tenant AND d.day = of_day AND d.customers < most;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO outbound.template_day_customers (tenant_id, day, wa_id) VALUES (tenant, of_day, customer);
    RETURN true;
END
$$;
COMMENT ON FUNCTION outbound.count_customer IS 'Counts a customer towards a tenant''s daily limit: whether it may be sent to; null where the day is not begun.';
