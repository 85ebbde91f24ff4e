-- Substring search over names without reading every row. Where the two extensions of contrib are missing or may not
-- be created, the same queries read the tenant's persons one by one: slower, never wrong.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE EXTENSION IF NOT EXISTS btree_gin;
    CREATE INDEX persons_by_text ON read_models.persons USING gin (tenant_id, search gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'persons are searched without an index: %', SQLERRM;
END
$$;
