-- Customers as the Service API lists them: everybody who wrote, was written to, was saved or said whether it wishes to
-- hear from us. A message changes only when its customer was last contacted, so that stands in a narrow table of its own
-- with the index of the list: a row with the names would drag their search index along with every message.
CREATE TABLE read_models.customers (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    profile_name text NOT NULL,
    saved_name text,
    search text COLLATE "C" NOT NULL,
    opt_in text COLLATE "C",
    opt_in_source text,
    opt_in_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, wa_id)
) WITH (fillfactor = 90);
COMMENT ON TABLE read_models.customers IS 'Everybody who wrote, was written to, was saved or said whether it wishes to hear from us. All times are POSIX seconds.';
COMMENT ON COLUMN read_models.customers.id IS 'Its id in the Service API; follows from tenant and WhatsApp id.';
COMMENT ON COLUMN read_models.customers.profile_name IS 'The name that WhatsApp shows; empty where none was seen.';
COMMENT ON COLUMN read_models.customers.saved_name IS 'The name in the address book, may be empty; null where it is not in there.';
COMMENT ON COLUMN read_models.customers.search IS 'The name that is shown and the WhatsApp id in lower case, for searching.';
COMMENT ON COLUMN read_models.customers.opt_in IS 'opted_in or opted_out; null where nobody recorded a word.';
COMMENT ON COLUMN read_models.customers.opt_in_source IS 'How that is known; empty where the customer was forgotten since.';
COMMENT ON COLUMN read_models.customers.opt_in_at IS 'Since when.';
COMMENT ON COLUMN read_models.customers.created_at IS 'When it was first seen.';

CREATE TABLE read_models.customer_activity (
    tenant_id uuid NOT NULL,
    wa_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    last_contacted_at bigint,
    PRIMARY KEY (tenant_id, wa_id)
) WITH (fillfactor = 80);
CREATE INDEX customer_activity_by_time ON read_models.customer_activity
    (tenant_id, last_contacted_at DESC NULLS LAST, id);
COMMENT ON TABLE read_models.customer_activity IS 'When each customer was last contacted; a row for each of customers.';
COMMENT ON COLUMN read_models.customer_activity.id IS 'As in customers: the order of those who were contacted in the same second.';
COMMENT ON COLUMN read_models.customer_activity.last_contacted_at IS 'The newest message in either direction, POSIX seconds; null where there is none.';

-- As for persons (0014): without the extensions the same queries read the tenant's customers one by one.
DO $$
BEGIN
    CREATE INDEX customers_by_text ON read_models.customers USING gin (tenant_id, search gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'customers are searched without an index: %', SQLERRM;
END
$$;

-- As search_persons (0030): under a policy LIKE may not use the index, so this searches with the owner's rights, in the
-- reader's tenant and no other.
CREATE FUNCTION read_models.search_customers(pattern text) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT k.wa_id FROM read_models.customers k
     WHERE k.tenant_id = current_setting('chatledger.tenant')::uuid AND k.search LIKE pattern
$$;
COMMENT ON FUNCTION read_models.search_customers IS 'The WhatsApp ids of the customers of tenant chatledger.tenant whose text is like the pattern.';
REVOKE ALL ON FUNCTION read_models.search_customers FROM PUBLIC;
DO $$
BEGIN
    BEGIN
        CREATE ROLE chatledger_reader NOLOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    GRANT EXECUTE ON FUNCTION read_models.search_customers TO chatledger_reader;
EXCEPTION
    WHEN insufficient_privilege OR undefined_object THEN
        RAISE NOTICE 'no second layer between tenants: an administrator has to CREATE ROLE chatledger_reader';
END
$$;
