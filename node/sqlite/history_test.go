package sqlite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// "Numbered migrations that run forward in a transaction" (DESIGN 3): the
// records that a file of version 3 has are found by their siblings afterwards,
// and what cannot be read as a record is in nobody's way.
func TestRecordsOfAnOlderFile(t *testing.T) {
	all, err := loadMigrations(schema)
	if err != nil {
		t.Fatal(err)
	}
	c := scratch(t)
	if err := migrate(t.Context(), c, "dir", all[:3]); err != nil {
		t.Fatal(err)
	}
	rows := "INSERT INTO collections (number, name) VALUES (1, '_conflicts'), (2, 'accounts');\n"
	for i, body := range []string{
		`{"id":"r1","collection":"accounts","siblings":[{"dot":"a~aaaaaaaa:1"},{"dot":"b~bbbbbbbb:2"}]}`,
		`{"id":"r2","collection":"only_here","siblings":[{"dot":"b~bbbbbbbb:2"},{"dot":3},{}]}`,
		`{"collection":`, `{}`, `{"collection":7,"siblings":{}}`,
	} {
		rows += fmt.Sprintf("INSERT INTO versions (row, actor, seq, collection, id, time, deleted, clock, sum, body) VALUES (%d, 1, %d, 1, 'r%d', %d, 0, x'00', x'00', CAST('%s' AS BLOB));\n",
			i+1, i+1, i+1, int64(vclock.Time((1000+i)<<16|7)), body)
	}
	// Another version of r1, and a record that was deleted.
	rows += "INSERT INTO versions (row, actor, seq, collection, id, time, deleted, clock, sum, body) SELECT 11, 1, 11, 1, id, time + (5 << 16), 0, x'00', x'00', body FROM versions WHERE row = 1;\n" +
		"INSERT INTO versions (row, actor, seq, collection, id, time, deleted, clock, sum, body) VALUES (12, 1, 12, 1, 'gone', 1, 1, x'00', x'00', x'');"
	if err := c.script(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), c, "dir", all); err != nil {
		t.Fatal(err)
	}
	r := &reader{conn: c}
	if err := c.prepareAll(r.past.statements()); err != nil {
		t.Fatal(err)
	}
	for dot, want := range map[string][]conflict.DocID{"a~aaaaaaaa:1": {"r1"}, "b~bbbbbbbb:2": {"r1", "r2"}, "3": nil} {
		var got []conflict.DocID
		if err := r.past.recordsOf.query(appendID(&got), dot, int64(10)); err != nil || !slices.Equal(got, want) {
			t.Errorf("records of %s: %q, %v, want %q", dot, got, err, want)
		}
	}
	var ages []string
	err = r.past.ages.query(func(v values) (bool, error) {
		ages = append(ages, fmt.Sprintf("%s %d %d", v.text(0), v.int(1), v.int(2)))
		return true, nil
	})
	if want := []string{"accounts 0 1005", "only_here 0 1001"}; err != nil || !slices.Equal(ages, want) {
		t.Errorf("ages %q, %v, want %q", ages, err, want)
	}
}

// A file of version 3 opens, with all that is in it, and keeps what is covered
// from then on.
func TestOpenAnOlderFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	fill(t, s, 1, 20, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	script(t, dir, "DROP TABLE history; DROP TABLE filed; DROP TABLE filed_siblings; PRAGMA user_version = 3")
	s = open(t, Config{Dir: dir})
	holds(t, s, 20)
}
