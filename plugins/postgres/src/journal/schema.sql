-- Where swarmsecrets keeps the journals of rotations. May be run again at any time: it makes what is missing and touches
-- nothing else. The journal does it by itself if its role may; otherwise let the owner of the database do it:
--
--   psql --single-transaction --file schema.sql
--   GRANT USAGE ON SCHEMA swarmsecrets TO rotator;
--   GRANT SELECT, INSERT ON swarmsecrets.entry TO rotator;
--   GRANT SELECT, INSERT, UPDATE ON swarmsecrets.lease TO rotator;

-- One at a time: two that make the same table at the same moment would get in each other's way.
SELECT pg_advisory_xact_lock(7089338246518630003);

CREATE SCHEMA IF NOT EXISTS swarmsecrets;

-- Who carries out a rotation. A row stays when its lease has ended, so that the epoch only ever rises: it is the number of the holder.
CREATE TABLE IF NOT EXISTS swarmsecrets.lease (
    rotation   text        PRIMARY KEY,
    epoch      bigint      NOT NULL,
    holder     text        NOT NULL,
    expires_at timestamptz NOT NULL
);

-- What happened. Nothing in it is ever changed or removed. No value of a secret is in it.
CREATE TABLE IF NOT EXISTS swarmsecrets.entry (
    rotation   text        NOT NULL REFERENCES swarmsecrets.lease,
    n          bigint      NOT NULL,
    epoch      bigint      NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    entry      json        NOT NULL,
    PRIMARY KEY (rotation, n)
);
