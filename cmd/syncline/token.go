package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/node/peer"
)

func newTokenCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Make secrets"}
	c.AddCommand(&cobra.Command{
		Use:   "secret [FILE]",
		Short: "Write a new cluster secret, to a file that must not exist yet or to standard output",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			secret := make([]byte, peer.MinSecret)
			if _, err := rand.Read(secret); err != nil {
				return err
			}
			text := hex.EncodeToString(secret) + "\n"
			if len(args) == 0 {
				_, err := fmt.Fprint(a.stdout, text)
				return err
			}
			return writeSecret(args[0], text)
		},
	})
	return c
}

// writeSecret never overwrites: a cluster whose secret is gone cannot be
// joined any more.
func writeSecret(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already, and a secret in use must not be overwritten: choose another name", file)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}
