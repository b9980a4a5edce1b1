package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/syncline/syncline/node"
)

// lockName is the file in the folder whose lock a process holds.
const lockName = "syncline.lock"

// maxPID bounds what is read of a lock file, in bytes.
const maxPID = 20

// lockFolder takes the folder for this process until the file is closed or the
// process ends. The file stays where it is: to remove it would let two
// processes lock two files of one name.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(lockFailure(f, dir, err), f.Close())
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(unwritable(dir, err), f.Close())
	}
	return f, nil
}

func lockFailure(f *os.File, dir string, err error) error {
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return &node.Error{Op: "open", Kind: node.Invalid, Key: dir, Err: fmt.Errorf("this file system cannot lock files: %w; choose a local folder", err)}
	}
	holder := "another process"
	if pid := readPID(f); pid > 0 {
		holder = fmt.Sprintf("process %d", pid)
	}
	return &node.Error{Op: "open", Kind: node.Locked, Key: dir, Err: fmt.Errorf("%s has this folder; stop it, or choose another folder", holder)}
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readPID returns who has written itself into the lock file, or 0.
func readPID(f *os.File) int {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxPID))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

func unwritable(dir string, err error) error {
	return &node.Error{Op: "open", Kind: node.Invalid, Key: dir, Err: fmt.Errorf("the folder cannot be written: %w; choose one that this process may write", err)}
}
