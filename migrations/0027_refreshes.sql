-- When what WhatsApp holds (templates, the business profile) was last looked at, and which server is looking now, so
-- that only one does. Not in the ledger: a look that finds nothing new is no fact of the inbox.

CREATE TABLE outbound.refreshes (
    tenant_id    uuid        NOT NULL,
    subject      text        COLLATE "C" NOT NULL CHECK (subject IN ('templates', 'settings')),
    -- WhatsApp's id of the number: another number starts anew.
    account      text        COLLATE "C" NOT NULL,
    -- Whoever holds an older one has lost the refresh.
    ticket       uuid        NOT NULL,
    begun_at     timestamptz NOT NULL,
    -- Null when nobody is looking.
    lease_until  timestamptz,
    -- When WhatsApp was asked for what is known now; null when it never answered.
    refreshed_at timestamptz,
    PRIMARY KEY (tenant_id, subject, account)
);
