-- The database of one node. Sequences, times and counts are integers; time is
-- the hybrid time's 64 bits, of which SQLite sees the sign bit as a sign.
-- Vectors, contexts and checksums are in the binary forms of the packages
-- vclock and conflict.

-- What the file says about itself, one row for each thing: the cluster, the
-- node and the actor that it belongs to, and how the last process left it.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY  NOT NULL
) STRICT, WITHOUT ROWID;

-- The one row that each commit moves: what this node has, and the time that no
-- later write of it may go below. It is one row so that a read takes it from
-- the same snapshot in the same statement.
CREATE TABLE state (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    frontier BLOB    NOT NULL,
    time     INTEGER NOT NULL
) STRICT;

INSERT INTO state (one, frontier, time) VALUES (1, x'00', 0);

-- Small numbers for the actors of rows. A name keeps its number for ever.
CREATE TABLE actors (
    number INTEGER NOT NULL PRIMARY KEY,
    name   TEXT    NOT NULL UNIQUE
) STRICT;

-- Small numbers for the collections of rows, and what is counted of each: the
-- digest, documents with a value, documents of which only tombstones are live,
-- and documents in conflict.
CREATE TABLE collections (
    number     INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    digest     BLOB    NOT NULL DEFAULT (zeroblob(16)),
    documents  INTEGER NOT NULL DEFAULT 0,
    tombstones INTEGER NOT NULL DEFAULT 0,
    conflicts  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The live versions, and only those: the documents, the replication log and the
-- changes feed at once. The row's number means nothing: it only lets a write
-- take over the row of a version that it covers.
CREATE TABLE versions (
    row        INTEGER NOT NULL PRIMARY KEY,
    actor      INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    collection INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    time       INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    clock      BLOB    NOT NULL,
    sum        BLOB    NOT NULL,
    body       BLOB    NOT NULL
) STRICT;

-- The log: "what does a peer with frontier F lack" is a range for each actor. It
-- is unique since a dot names one write for ever.
CREATE UNIQUE INDEX versions_log ON versions (actor, seq);

-- The documents, in the order in which they are listed.
CREATE INDEX versions_documents ON versions (collection, id);

-- The documents with two live versions or more, so that they can be listed
-- without a walk through their collection.
CREATE TABLE conflicted (
    collection INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;

-- How far the catch-up from a sender's actor came, moved in the transaction
-- that applies the rows.
CREATE TABLE cursors (
    sender TEXT NOT NULL PRIMARY KEY,
    done   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
