package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"
)

const (
	maxBody         = 1 << 20          // bytes of a request body
	headerTimeout   = 5 * time.Second  // to read a request's header
	shutdownTimeout = 10 * time.Second // to finish requests at the end; net/http waits 5 s for a connection that never sent one
	defaultDocument = 256              // bytes of a document of -bulk
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

// run serves until the context ends, or does one bulk insert.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bare", flag.ContinueOnError)
	dir := flags.String("data", "", "folder of the database")
	listen := flags.String("listen", "127.0.0.1:0", "address to serve on")
	rows := flags.Int("bulk", 0, "insert so many rows at once and end")
	each := flags.Int("each", 64, "rows of one INSERT of -bulk, a divisor of 1024 and of the rows")
	size := flags.Int("size", defaultDocument, "bytes of a document of -bulk")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" || *rows < 0 || *each < 1 || bulkGroup%*each != 0 || *rows%*each != 0 {
		return errors.New("usage: bare -data FOLDER [-listen ADDRESS] [-bulk ROWS [-each ROWS] [-size BYTES]]")
	}
	s, err := openStore(ctx, *dir)
	if err != nil {
		return err
	}
	if *rows > 0 {
		took, err := bulk(ctx, s, *rows, *each, *size)
		if err == nil {
			fmt.Fprintf(out, "bulk rows=%d seconds=%.3f\n", *rows, took.Seconds())
		}
		return errors.Join(err, s.Close())
	}
	return errors.Join(serve(ctx, s, *listen, out), s.Close())
}

// serve answers requests until the context ends.
func serve(ctx context.Context, s *store, address string, out io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	w := newWriter(s)
	server := &http.Server{Handler: routes(w), ReadHeaderTimeout: headerTimeout}
	group, ctx := errgroup.WithContext(ctx)
	// The writer ends last: requests that are being finished still need it.
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return w.Run(writing) })
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		defer stopWriting()
		<-ctx.Done()
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		return server.Shutdown(finish)
	})
	fmt.Fprintf(out, "ready api=%s\n", listener.Addr())
	return group.Wait()
}

// routes is the whole API: one document route.
func routes(w *writer) http.Handler {
	e := echo.New()
	stored := []byte(`{"ok":true}`)
	constant := append(append([]byte(`{"pad":"`), bytes.Repeat([]byte("x"), defaultDocument-len(`{"pad":""}`))...), `"}`...)
	e.GET("/v1/docs/:c/:id", func(c echo.Context) error {
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, constant)
	})
	e.PUT("/v1/docs/:c/:id", func(c echo.Context) error {
		body, err := readBody(c)
		if err != nil {
			return err
		}
		if err := w.Put(c.Request().Context(), c.Param("c"), c.Param("id"), body); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, stored)
	})
	return e
}

// readBody reads a body of known length in one piece.
func readBody(c echo.Context) ([]byte, error) {
	length := c.Request().ContentLength
	if length < 0 || length > maxBody {
		return nil, echo.NewHTTPError(http.StatusRequestEntityTooLarge, "a body needs a Content-Length of at most 1 MiB")
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.Request().Body, body); err != nil {
		return nil, echo.NewHTTPError(http.StatusBadRequest, "body cut short")
	}
	return body, nil
}
