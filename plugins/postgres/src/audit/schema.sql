-- Where swarmsecrets keeps an audit trail. May be run again at any time: it makes what is missing and touches nothing else. The
-- sink does it by itself if its role may, but then that role owns the table and could drop the trigger. So let the owner of
-- the database do it, and give the sink a role that can insert and read and nothing else:
--
--   psql --single-transaction --file schema.sql
--   GRANT USAGE ON SCHEMA swarmsecrets TO auditor;
--   GRANT SELECT, INSERT ON swarmsecrets.audit TO auditor;

-- One at a time: two that make the same table at the same moment would get in each other's way.
SELECT pg_advisory_xact_lock(7089338246518630004);

CREATE SCHEMA IF NOT EXISTS swarmsecrets;

-- The lines of the trail, byte for byte as a file has them. No value of a secret is in them.
CREATE TABLE IF NOT EXISTS swarmsecrets.audit (
    n          bigint      PRIMARY KEY CHECK (n >= 0),
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    line       text        NOT NULL
);

CREATE OR REPLACE FUNCTION swarmsecrets.audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Whoever asks, the owner and superusers too, and also where a replica applies what another server did.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgrelid = 'swarmsecrets.audit'::regclass AND tgname = 'audit_only_grows'
    ) THEN
        CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON swarmsecrets.audit
            FOR EACH STATEMENT EXECUTE FUNCTION swarmsecrets.audit_only_grows();
        ALTER TABLE swarmsecrets.audit ENABLE ALWAYS TRIGGER audit_only_grows;
    END IF;
END
$$;
