-- Read models of what WhatsApp holds for the account: the message templates and the business profile. Clients list
-- templates at every start, and sending looks one up; neither can wait for WhatsApp.
CREATE TABLE read_models.templates (
    tenant_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL,
    category text NOT NULL,
    components json NOT NULL,
    namespace text NOT NULL,
    rejected_reason text NOT NULL,
    status text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, name, language)
);
COMMENT ON TABLE read_models.templates IS 'Message templates as WhatsApp last told them, one row per language.';
COMMENT ON COLUMN read_models.templates.components IS 'Header, body, footer, buttons, as WhatsApp writes them.';
COMMENT ON COLUMN read_models.templates.rejected_reason IS 'NONE when it was not rejected.';
COMMENT ON COLUMN read_models.templates.status IS 'approved, pending, rejected ...; lower-case.';

CREATE TABLE read_models.business_profiles (
    tenant_id uuid PRIMARY KEY,
    about text NOT NULL,
    address text NOT NULL,
    description text NOT NULL,
    email text NOT NULL,
    vertical text NOT NULL,
    websites text[] NOT NULL
);
COMMENT ON TABLE read_models.business_profiles IS 'The business profile that customers see; one row per inbox once WhatsApp has told it.';
COMMENT ON COLUMN read_models.business_profiles.vertical IS 'WhatsApp''s code of the branch: AUTO, BEAUTY ...';

CREATE TABLE read_models.profile_photos (
    tenant_id uuid PRIMARY KEY,
    blob uuid NOT NULL,
    mime_type text NOT NULL,
    size bigint NOT NULL,
    sha256 text COLLATE "C" NOT NULL
);
COMMENT ON TABLE read_models.profile_photos IS 'The photo of the business profile; no row where there is none.';
COMMENT ON COLUMN read_models.profile_photos.blob IS 'Where its bytes are, beside those of media.';
COMMENT ON COLUMN read_models.profile_photos.size IS 'In bytes.';
