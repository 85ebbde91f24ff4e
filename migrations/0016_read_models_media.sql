-- Read model of media: where each file is and what it is, so that a link finds it in one look.
CREATE TABLE read_models.media (
    tenant_id uuid NOT NULL,
    media_id uuid NOT NULL,
    waba_id text COLLATE "C",
    blob uuid,
    mime_type text COLLATE "C",
    size bigint,
    sha256 text COLLATE "C",
    filename text,
    has_failed boolean NOT NULL,
    PRIMARY KEY (tenant_id, media_id)
);
COMMENT ON TABLE read_models.media IS 'Files: uploaded by users, or sent by customers.';
COMMENT ON COLUMN read_models.media.media_id IS 'Our id; of a customer''s file it is derived from WhatsApp''s.';
COMMENT ON COLUMN read_models.media.waba_id IS 'WhatsApp''s id of a customer''s file.';
COMMENT ON COLUMN read_models.media.blob IS 'Where its bytes are; null while they have not been fetched. So are the next four.';
COMMENT ON COLUMN read_models.media.mime_type IS 'What it is, as found in its bytes.';
COMMENT ON COLUMN read_models.media.size IS 'Bytes.';
COMMENT ON COLUMN read_models.media.sha256 IS 'Of the bytes, in hexadecimal digits.';
COMMENT ON COLUMN read_models.media.filename IS 'The name that its sender gave it, without folders.';
COMMENT ON COLUMN read_models.media.has_failed IS 'Whether WhatsApp will never give it to us.';
