package timeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

const (
	fileName = "timeline.ndjson"     // the entries of late, one a line, behind a mark of life
	oldName  = "timeline.old.ndjson" // those before
	// markLayout writes a mark with a fixed width, so that it is overwritten in
	// place.
	markLayout = "2006-01-02T15:04:05.000Z"
	markLine   = `{"alive":"` + markLayout + `"}` + "\n"
	// maxLine is the longest line that is read, in bytes.
	maxLine = 64 << 10
)

// files are the two files of a timeline. Whoever flushes owns them.
type files struct {
	root *os.Root
	file *os.File // nil until the first write
	end  int64    // offset behind the last whole line
}

func (f *files) close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	return errors.Join(err, f.root.Close())
}

// load reads both files, and the last mark of life, zero when there is none.
func (f *files) load() (entries []Entry, alive time.Time, err error) {
	for _, name := range []string{oldName, fileName} {
		file, err := f.root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, alive, fmt.Errorf("timeline: %w", err)
		}
		found, mark, end, err := readLines(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, alive, fmt.Errorf("timeline: read %s: %w", name, err)
		}
		entries = append(entries, found...)
		if mark.After(alive) {
			alive = mark
		}
		if name == fileName {
			f.end = end
		}
	}
	return entries, alive, nil
}

// readLines reads what a file holds. end is behind its last whole line.
func readLines(file io.Reader) (entries []Entry, alive time.Time, end int64, err error) {
	in := bufio.NewReaderSize(io.LimitReader(file, 2*MaxFile), maxLine)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return entries, alive, end, nil // a line without its end was torn
		case errors.Is(err, bufio.ErrBufferFull):
			return entries, alive, end, nil // none of ours: what is behind it is overwritten
		case err != nil:
			return nil, alive, 0, err
		}
		end += int64(len(line))
		var mark struct {
			Alive time.Time `json:"alive"`
			Entry
		}
		if json.Unmarshal(line, &mark) != nil {
			continue
		}
		if mark.Kind == "" {
			alive = mark.Alive
		} else if e, ok := readEntry(line); ok {
			entries = append(entries, e)
		}
	}
}

func readEntry(line []byte) (e Entry, ok bool) {
	return e, json.Unmarshal(line, &e) == nil && !e.Time.IsZero()
}

// write appends entries, and then marks that the process lives: a mark covers
// all that stands before it.
func (f *files) write(entries []Entry, now time.Time) error {
	if err := f.open(); err != nil {
		return err
	}
	var b bytes.Buffer
	for i := range entries {
		line, err := json.Marshal(&entries[i])
		if err != nil {
			return fmt.Errorf("timeline: %w", err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	if _, err := f.file.WriteAt(b.Bytes(), f.end); err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	f.end += int64(b.Len())
	if _, err := f.file.WriteAt([]byte(now.UTC().Format(`{"alive":"`+markLayout+`"}`)+"\n"), 0); err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	if f.end > MaxFile {
		return f.turn()
	}
	return nil
}

// open opens the file for writing. What stands behind its last whole line goes.
func (f *files) open() error {
	if f.file != nil {
		return nil
	}
	file, err := f.root.OpenFile(fileName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	f.end = max(f.end, int64(len(markLine)))
	if err := file.Truncate(f.end); err != nil {
		return errors.Join(fmt.Errorf("timeline: %w", err), file.Close())
	}
	f.file = file
	return nil
}

// turn puts the file aside, for the one before it, and begins a new one with
// the next write.
func (f *files) turn() error {
	err := f.file.Close()
	f.file, f.end = nil, 0
	if err = errors.Join(err, f.root.Rename(fileName, oldName)); err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	return nil
}
