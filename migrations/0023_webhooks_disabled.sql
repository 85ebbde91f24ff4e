-- Whether a webhook was disabled, because of days of nothing but failures. Null for one that is called.
ALTER TABLE read_models.webhooks
    ADD COLUMN disabled_at     bigint,
    ADD COLUMN disabled_reason text COLLATE "C",
    ADD COLUMN failing_since   bigint;
COMMENT ON COLUMN read_models.webhooks.disabled_at IS 'Since when it is not called, POSIX seconds; null for one that is.';
COMMENT ON COLUMN read_models.webhooks.disabled_reason IS 'Why it is not called: only_failures.';
COMMENT ON COLUMN read_models.webhooks.failing_since IS 'Since when it had only failed when it was disabled, POSIX seconds.';
