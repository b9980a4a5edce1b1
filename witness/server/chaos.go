package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/strictjson"
)

// chaosOn refuses where the process was not started for chaos.
func (s *Server) chaosOn() error {
	if s.cfg.Chaos != nil {
		return nil
	}
	return &node.Error{Op: "chaos", Kind: unknownRoute, Err: errors.New("this process was started without --chaos, so it has no such path")}
}

func (s *Server) listFaults(w http.ResponseWriter, _ *http.Request) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	faults := s.cfg.Chaos.List()
	if faults == nil {
		faults = []link.Fault{}
	}
	return reply(w, http.StatusOK, struct {
		Faults []link.Fault `json:"faults"`
	}{faults})
}

// faultRequest is what a client says of a fault; the rest is given to it.
type faultRequest struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Kind     link.Kind `json:"kind"`
	Both     bool      `json:"both"`
	Duration link.Span `json:"duration"`
	Delay    link.Span `json:"delay"`
	Loss     float64   `json:"loss"`
}

func (s *Server) addFault(w http.ResponseWriter, r *http.Request) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	f, err := readFault(r)
	if err != nil {
		return err
	}
	added, err := s.cfg.Chaos.Add(link.Fault{
		From: f.From, To: f.To, Kind: f.Kind, Both: f.Both, Duration: f.Duration, Delay: f.Delay, Loss: f.Loss,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", faultsPath+"/"+added.ID)
	return reply(w, http.StatusCreated, added)
}

func readFault(r *http.Request) (f faultRequest, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return f, &node.Error{Op: "chaos", Kind: node.BadRequest, Err: fmt.Errorf("the body did not come: %w", err)}
	}
	if len(body) > MaxBody {
		return f, &node.Error{Op: "chaos", Kind: node.TooLarge, Err: fmt.Errorf("the body has more than %d bytes", MaxBody)}
	}
	if err := strictjson.Check(body, strictjson.Limits{}); err != nil {
		kind := node.BadJSON
		if errors.Is(err, strictjson.ErrNotObject) {
			kind = node.Invalid
		}
		return f, &node.Error{Op: "chaos", Kind: kind, Err: err}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return f, &node.Error{Op: "chaos", Kind: node.Invalid, Err: err}
	}
	return f, nil
}

type healed struct {
	Healed int `json:"healed"`
}

func (s *Server) healFaults(w http.ResponseWriter, r *http.Request) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	which, err := link.ParseWhich(r.URL.RawQuery)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, healed{s.cfg.Chaos.Heal(which)})
}

func (s *Server) getFault(w http.ResponseWriter, r *http.Request) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	id := strings.TrimPrefix(r.URL.Path, faultsPath+"/")
	for _, f := range s.cfg.Chaos.List() {
		if f.ID == id {
			return reply(w, http.StatusOK, f)
		}
	}
	return &node.Error{Op: "chaos", Kind: node.NotFound, Key: id, Err: errors.New("no such fault: it has ended, or it is on another process")}
}

func (s *Server) healFault(w http.ResponseWriter, r *http.Request) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	if err := s.cfg.Chaos.Remove(strings.TrimPrefix(r.URL.Path, faultsPath+"/")); err != nil {
		return err
	}
	return reply(w, http.StatusOK, healed{1})
}
