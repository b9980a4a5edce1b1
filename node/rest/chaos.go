package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/strictjson"
)

// maxFault is the longest body that describes a fault, in bytes.
const maxFault = 4 << 10

// chaosOn refuses where the process was not started for chaos.
func (s *Server) chaosOn() error {
	if s.cfg.Chaos != nil {
		return nil
	}
	return withoutChaos()
}

func withoutChaos() error {
	return &node.Error{Op: "chaos", Kind: UnknownRoute, Err: errors.New("this process was started without --chaos, so it has no such path")}
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

// addFault puts a fault on this process's side of a link.
func (s *Server) addFault(c echo.Context) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	body, err := readBody(c.Request(), maxFault)
	if err != nil {
		return err
	}
	var f faultRequest
	if err := decodeStrict(body, &f); err != nil {
		return err
	}
	added, err := s.cfg.Chaos.Add(link.Fault{
		From: f.From, To: f.To, Kind: f.Kind, Both: f.Both, Duration: f.Duration, Delay: f.Delay, Loss: f.Loss,
	})
	if err != nil {
		return err
	}
	c.Response().Header()[headLocation] = []string{"/v1/chaos/faults/" + added.ID}
	return replyJSON(c.Response(), http.StatusCreated, added)
}

// decodeStrict reads a small JSON object into a struct.
func decodeStrict(body []byte, into any) error {
	if err := checkObject(body, strictjson.MaxDepth); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalid(err)
	}
	return nil
}

func (s *Server) listFaults(c echo.Context) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, struct {
		Faults []link.Fault `json:"faults"`
	}{filled(s.cfg.Chaos.List())})
}

func (s *Server) getFault(c echo.Context) error {
	id, err := s.faultID(c)
	if err != nil {
		return err
	}
	for _, f := range s.cfg.Chaos.List() {
		if f.ID == id {
			return replyJSON(c.Response(), http.StatusOK, f)
		}
	}
	return &node.Error{Op: "chaos", Kind: node.NotFound, Key: id, Err: errors.New("no such fault: it has ended, or it is on another process")}
}

func (s *Server) faultID(c echo.Context) (string, error) {
	if err := s.chaosOn(); err != nil {
		return "", err
	}
	return segment(c, 0)
}

type healed struct {
	Healed int `json:"healed"`
}

func (s *Server) healFault(c echo.Context) error {
	id, err := s.faultID(c)
	if err != nil {
		return err
	}
	if err := s.cfg.Chaos.Remove(id); err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, healed{1})
}

func (s *Server) healFaults(c echo.Context) error {
	if err := s.chaosOn(); err != nil {
		return err
	}
	which, err := link.ParseWhich(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, healed{s.cfg.Chaos.Heal(which)})
}
