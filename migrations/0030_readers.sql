-- A second layer between tenants: the API asks the read models as a role that sees one tenant's rows only, whatever the
-- query says. A forgotten condition then shows too little instead of another inbox.
DO $$
BEGIN
    CREATE ROLE chatledger_reader NOLOGIN;
EXCEPTION
    -- Roles belong to the whole server: another database of it may have made this one.
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'no second layer between tenants: an administrator has to CREATE ROLE chatledger_reader';
END
$$;

-- `LIKE` is not leak-proof, so under a policy it may not use the trigram index. This function searches with the rights
-- of the tables' owner, in the reader's tenant and no other.
CREATE FUNCTION read_models.search_persons(pattern text) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT p.wa_id FROM read_models.persons p
     WHERE p.tenant_id = current_setting('chatledger.tenant')::uuid AND p.search LIKE pattern
$$;
COMMENT ON FUNCTION read_models.search_persons IS 'The WhatsApp ids of the persons of tenant chatledger.tenant whose text is like the pattern.';
REVOKE ALL ON FUNCTION read_models.search_persons FROM PUBLIC;

-- Called by every start after the migrations, so that no table made later is forgotten.
CREATE FUNCTION read_models.protect() RETURNS boolean LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    bare regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'chatledger_reader') THEN
        RETURN false;
    END IF;
    IF NOT pg_catalog.pg_has_role(current_user, 'chatledger_reader', 'MEMBER') THEN
        EXECUTE pg_catalog.format('GRANT chatledger_reader TO %I', current_user);
    END IF;
    FOR bare IN
        SELECT c.oid FROM pg_catalog.pg_class c
         WHERE c.relnamespace = 'read_models'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
    LOOP
        -- In a sub-select, so that it is looked up once a query and not once a row.
        EXECUTE pg_catalog.format(
            'CREATE POLICY own_tenant ON %s TO chatledger_reader
             USING (tenant_id = (SELECT pg_catalog.current_setting(''chatledger.tenant'')::uuid))', bare);
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', bare);
        EXECUTE pg_catalog.format('GRANT SELECT ON %s TO chatledger_reader', bare);
    END LOOP;
    GRANT USAGE ON SCHEMA read_models TO chatledger_reader;
    GRANT EXECUTE ON FUNCTION read_models.search_persons TO chatledger_reader;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN false;
END
$$;
COMMENT ON FUNCTION read_models.protect() IS 'Lets chatledger_reader see the rows of the tenant named by chatledger.tenant, in every read model. False where the server''s rights do not allow it.';
