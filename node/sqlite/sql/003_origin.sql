-- Where a version came from: the id of its request or settlement, what it was
-- stamped as before, and what it changed. Empty for a plain write.
ALTER TABLE versions ADD COLUMN origin BLOB NOT NULL DEFAULT x'';
