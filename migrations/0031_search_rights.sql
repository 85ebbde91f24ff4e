-- Where the server may not make roles, an administrator makes chatledger_reader, and what was granted to it by migrations
-- was not granted. So every start grants all of it: the functions that search as well, whichever there are.
CREATE OR REPLACE FUNCTION read_models.protect() RETURNS boolean LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    bare regclass;
    search regprocedure;
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
    FOR search IN
        SELECT p.oid FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'read_models'::regnamespace AND p.proname LIKE 'search\_%'
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO chatledger_reader', search);
    END LOOP;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN false;
END
$$;
