-- Versions that were live here once and are covered, for as long as their
-- collection keeps them: the columns of a live version, what covered it, and
-- when, in milliseconds. The row's number rises in the order in which versions
-- were covered here.
CREATE TABLE history (
    row        INTEGER NOT NULL PRIMARY KEY,
    actor      INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    collection INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    clock      BLOB    NOT NULL,
    sum        BLOB    NOT NULL,
    body       BLOB    NOT NULL,
    origin     BLOB    NOT NULL,
    by_actor   INTEGER NOT NULL,
    by_seq     INTEGER NOT NULL,
    covered_at INTEGER NOT NULL
) STRICT;

-- A dot names one write for ever, so that it is covered once.
CREATE UNIQUE INDEX history_dots ON history (actor, seq);

-- The history of a document, in the order of the rows.
CREATE INDEX history_documents ON history (collection, id);

-- What a collection need not keep any longer.
CREATE INDEX history_ages ON history (collection, covered_at);

-- Where the records of conflicts are found, each with the collection of its
-- document and when it was last changed, in milliseconds.
CREATE TABLE filed (
    record     TEXT    NOT NULL PRIMARY KEY,
    collection INTEGER NOT NULL,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX filed_ages ON filed (collection, at);

-- The siblings of each record by their dots, as text: a node may have a record
-- and never have met the actors of its siblings.
CREATE TABLE filed_siblings (
    dot    TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (dot, record)
) STRICT, WITHOUT ROWID;

CREATE INDEX filed_siblings_records ON filed_siblings (record);

-- The records that the file has already. One that cannot be read is left out, as
-- a record that comes in is.
CREATE TEMPORARY TABLE found AS
    SELECT v.id AS record, (v.time >> 16) & 281474976710655 AS at,
        iif(json_valid(CAST(v.body AS TEXT)), CAST(v.body AS TEXT), '{}') AS text
    FROM versions v JOIN collections c ON c.number = v.collection
    WHERE c.name = '_conflicts' AND v.deleted = 0;

INSERT INTO collections (name)
    SELECT DISTINCT json_extract(text, '$.collection') FROM found WHERE json_type(text, '$.collection') = 'text'
    ON CONFLICT DO NOTHING;

INSERT INTO filed (record, collection, at)
    SELECT f.record, c.number, max(f.at, 1) FROM found f JOIN collections c ON c.name = json_extract(f.text, '$.collection')
    WHERE true
    ON CONFLICT DO UPDATE SET at = max(at, excluded.at);

INSERT INTO filed_siblings (dot, record)
    SELECT json_extract(s.value, '$.dot'), f.record FROM found f JOIN filed ON filed.record = f.record, json_each(f.text, '$.siblings') s
    WHERE json_type(s.value, '$.dot') = 'text'
    ON CONFLICT DO NOTHING;

DROP TABLE found;
