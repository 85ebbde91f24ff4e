-- What analysts see of a customer's wish to hear from us, now that it is recorded: the two columns that stood ready in
-- analytics.consent get their values. Nothing else of the view changes.
CREATE OR REPLACE VIEW analytics.consent WITH (security_barrier) AS
SELECT c.tenant_id, c.tenant, c.wa_id, c.contact, c.last_written_at IS NOT NULL AS has_written, c.last_written_at,
       c.referred_at, c.window_closes_at, coalesce(now() < c.window_closes_at, false) AS is_window_open,
       CASE k.opt_in WHEN 'opted_in' THEN 'given' WHEN 'opted_out' THEN 'withdrawn' ELSE 'unknown' END AS opt_in,
       to_timestamp(k.opt_in_at) AS opt_in_at
  FROM analytics.contacts c LEFT JOIN read_models.customers k ON k.tenant_id = c.tenant_id AND k.wa_id = c.wa_id;
COMMENT ON VIEW analytics.consent IS 'What is recorded of a customer''s wish to hear from us: its word, when it last wrote, and until when WhatsApp''s window is open.';
COMMENT ON COLUMN analytics.consent.opt_in IS 'given or withdrawn: the customer''s last word, by a keyword or as somebody recorded it; unknown where there is none.';
COMMENT ON COLUMN analytics.consent.opt_in_at IS 'Since when opt_in is so; null while it is unknown.';
