package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	lib "modernc.org/sqlite/lib"

	"github.com/syncline/syncline/node"
)

//go:embed sql/*.sql
var schema embed.FS

// applicationID marks a file as Syncline's: "Sync" in ASCII.
const applicationID = 0x53796e63

// loadMigrations reads the numbered migrations, in order: the n-th brings a
// file from version n-1 to version n.
func loadMigrations(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "sql/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	texts := make([]string, 0, len(names))
	for i, name := range names {
		var number int
		if _, err := fmt.Sscanf(name, "sql/%03d_", &number); err != nil || number != i+1 {
			return nil, fmt.Errorf("migration %s: want number %03d", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// migrate brings the file to the version of the last migration. Each runs in a
// transaction of its own together with the version's change, so that a file is
// never between two versions.
func migrate(ctx context.Context, c *conn, dir string, migrations []string) error {
	version, err := fileVersion(c, dir)
	if err != nil {
		return err
	}
	if version > int64(len(migrations)) {
		return &node.Error{Op: "open", Kind: node.NewerFile, Key: dir, Err: fmt.Errorf(
			"the database has version %d, and this program knows versions up to %d: it was written by a newer program; use that one", version, len(migrations))}
	}
	for i := int(version); i < len(migrations); i++ {
		text := fmt.Sprintf("BEGIN IMMEDIATE;\n%s;\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT", migrations[i], applicationID, i+1)
		if err := c.script(ctx, text); err != nil {
			err = fmt.Errorf("bring the database from version %d to %d: %w", i, i+1, err)
			return errors.Join(err, c.abandon(ctx))
		}
	}
	return nil
}

// fileVersion reads which migration a file has seen last; 0 is a new file.
func fileVersion(c *conn, dir string) (int64, error) {
	version, err := c.askInt("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	id, err := c.askInt("PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	tables, err := c.askInt("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	empty := version == 0 && id == 0 && tables == 0
	if !empty && id != applicationID {
		return 0, &node.Error{Op: "open", Kind: node.Invalid, Key: dir, Err: fmt.Errorf("%s is a database, but none of Syncline's; choose another folder", fileName)}
	}
	return version, nil
}

// abandon ends a transaction that a failed script has left open, if it has.
func (c *conn) abandon(ctx context.Context) error {
	err := c.script(ctx, "ROLLBACK")
	if codeOf(err) == lib.SQLITE_ERROR {
		return nil // SQLite had rolled it back by itself
	}
	return err
}
