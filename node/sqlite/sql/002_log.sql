-- The replication log apart from the versions: "what does a peer with frontier F
-- lack" is a range for each actor. It only grows at its end; the entries of
-- versions that were covered go later, many side by side at once. As an index of
-- the versions it made a write alter twice as many pages, since the entry of the
-- version that it covers is anywhere. An entry counts only if its row still
-- holds its version. It is unique since a dot names one write for ever.
CREATE TABLE log (
    actor INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    row   INTEGER NOT NULL,
    PRIMARY KEY (actor, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO log (actor, seq, row) SELECT actor, seq, row FROM versions ORDER BY actor, seq;

DROP INDEX versions_log;
