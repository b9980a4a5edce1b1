package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// witnessLock is the file whose lock a witness holds: one process votes under
	// one identity.
	witnessLock = "syncline.lock"
	// witnessFile is the file that keeps what a witness must know after a start.
	witnessFile = "witness.json"
	// maxWitnessFile is the longest such file that is read, in bytes.
	maxWitnessFile = 1 << 20
	// witnessVersion is the version of the file that this build writes.
	witnessVersion = 1
)

// witnessFolder is the folder of a witness, locked for this process.
type witnessFolder struct {
	dir  string
	lock *os.File
}

// witnessKeeps is what the file holds. The vote itself needs nothing of a
// former run but how long its promises may have been (W4).
type witnessKeeps struct {
	Version int           `json:"version"`
	Longest time.Duration `json:"longest_promise_ns"`
	Durable durable       `json:"cluster"`
}

// openWitnessFolder makes the folder when it is missing, and locks it. The
// kernel drops the lock with the process.
func openWitnessFolder(dir string) (*witnessFolder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be made: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, witnessLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the folder %s cannot be written: %w; choose one that this process may write", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another process has it: stop that one, or choose another folder")
		}
		return nil, oneError(fmt.Errorf("the folder %s cannot be locked: %w", dir, err), f.Close())
	}
	return &witnessFolder{dir: dir, lock: f}, nil
}

// close gives the folder up.
func (w *witnessFolder) close() error { return w.lock.Close() }

// read returns what a former run left; the zero value at the first start.
func (w *witnessFolder) read() (witnessKeeps, error) {
	var k witnessKeeps
	file := filepath.Join(w.dir, witnessFile)
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxWitnessFile))
	if err = errors.Join(err, f.Close()); err != nil {
		return k, err
	}
	err = json.Unmarshal(text, &k)
	if err == nil && (k.Version <= 0 || k.Longest <= 0) {
		err = errors.New("it lacks what a witness writes")
	}
	if err != nil {
		return k, fmt.Errorf("%s is damaged: %w; a witness keeps no data: wait for the longest lease that its cluster ever had, remove the file, and start it again", file, err)
	}
	if k.Version > witnessVersion {
		return k, fmt.Errorf("%s has version %d, and this program knows versions up to %d: it was written by a newer program; use that one", file, k.Version, witnessVersion)
	}
	return k, nil
}

// write replaces the file. When it returns nil, the new one is on the disk.
func (w *witnessFolder) write(k witnessKeeps) (err error) {
	k.Version = witnessVersion
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(w.dir, witnessFile)
	f, err := os.OpenFile(file+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	dir, err := os.Open(w.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close()) // a rename is durable with its folder
}

// settle reads what the folder keeps, decides what is in force, and writes that
// down before it is used: a promise that is longer than any before must be known
// to the next run before it is given.
func (w *witnessFolder) settle(fresh durable, name string, promise time.Duration) (k witnessKeeps, differs []string, err error) {
	k, err = w.read()
	if err != nil {
		return k, nil, err
	}
	first := k.Version == 0
	if first {
		k.Durable = fresh
	}
	if differs, err = k.Durable.against(fresh, name); err != nil {
		return k, nil, fmt.Errorf("%s: %w", w.dir, err)
	}
	if !first && promise <= k.Longest {
		return k, differs, nil
	}
	k.Longest = max(k.Longest, promise)
	if err := w.write(k); err != nil {
		return k, nil, fmt.Errorf("the folder %s cannot be written: %w", w.dir, err)
	}
	return k, differs, nil
}
