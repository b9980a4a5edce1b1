package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node/link"
)

// ChaosPresets puts faults on links of the whole cluster, over the APIs of its
// processes, and takes them back.
type ChaosPresets interface {
	// Presets lists what there is.
	Presets() []ChaosPreset
	// Set puts a preset on both ends of each of its links. What could not be
	// reached is told beside what was set. Errors are of kind NotFound for an
	// unknown preset, Invalid for what is wrong with the arguments, and PeerSilent
	// when nobody could be reached.
	Set(ctx context.Context, name string, want ChaosPresetRequest) (ChaosPresetSet, error)
	// Heal stops the runs of this process, and ends all faults of every process of
	// the roster.
	Heal(ctx context.Context) (ChaosHealed, error)
}

// ChaosPreset is a shape of faults with a name.
type ChaosPreset struct {
	Name  string   `json:"name"`
	About string   `json:"about"`
	Takes []string `json:"takes"` // members of the request that must be given, beside duration
}

// ChaosPresetRequest is what a client says of a preset.
type ChaosPresetRequest struct {
	Node     string    `json:"node"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Delay    link.Span `json:"delay"`    // slow: latency of each direction; flap: the period
	Duration link.Span `json:"duration"` // mandatory, at most link.MaxDuration
}

// ChaosPresetSet is what came of a preset.
type ChaosPresetSet struct {
	Preset      string             `json:"preset"`
	Expires     time.Time          `json:"expires"` // of the last fault
	Faults      []PlacedFault      `json:"faults"`
	Unreachable []ChaosUnreachable `json:"unreachable"` // processes that have not taken their part
}

// PlacedFault is a fault and the process that has it.
type PlacedFault struct {
	Node string `json:"node"`
	link.Fault
}

// ChaosUnreachable is a process that did not do as it was asked.
type ChaosUnreachable struct {
	Node  string `json:"node"`
	Error string `json:"error"`
}

// ChaosHealed is what healing everything has ended.
type ChaosHealed struct {
	Healed      []HealedNode       `json:"healed"`
	Stopped     []string           `json:"stopped"` // ids of runs
	Unreachable []ChaosUnreachable `json:"unreachable"`
}

// HealedNode is how many faults of a process were ended.
type HealedNode struct {
	Node   string `json:"node"`
	Faults int    `json:"faults"`
}

// presets are those of this process, which has them only with chaos.
func (s *Server) presets() (ChaosPresets, error) {
	if s.cfg.ChaosPresets == nil {
		return nil, withoutChaos()
	}
	return s.cfg.ChaosPresets, s.chaosOn()
}

func (s *Server) listPresets(c echo.Context) error {
	presets, err := s.presets()
	if err != nil {
		return err
	}
	list := presets.Presets()
	for i := range list {
		list[i].Takes = filled(list[i].Takes)
	}
	return replyJSON(c.Response(), http.StatusOK, struct {
		Presets []ChaosPreset `json:"presets"`
	}{filled(list)})
}

func (s *Server) setPreset(c echo.Context) error {
	presets, err := s.presets()
	if err != nil {
		return err
	}
	name, err := segment(c, 0)
	if err != nil {
		return err
	}
	body, err := readBody(c.Request(), maxFault)
	if err != nil {
		return err
	}
	var want ChaosPresetRequest
	if err := decodeStrict(body, &want); err != nil {
		return err
	}
	set, err := presets.Set(c.Request().Context(), name, want)
	if err != nil {
		return err
	}
	set.Faults, set.Unreachable = filled(set.Faults), filled(set.Unreachable)
	return replyJSON(c.Response(), http.StatusCreated, set)
}

// healCluster undoes all that chaos has done, as far as it can be reached.
func (s *Server) healCluster(c echo.Context) error {
	presets, err := s.presets()
	if err != nil {
		return err
	}
	out, err := presets.Heal(c.Request().Context())
	if err != nil {
		return err
	}
	out.Healed, out.Stopped, out.Unreachable = filled(out.Healed), filled(out.Stopped), filled(out.Unreachable)
	return replyJSON(c.Response(), http.StatusOK, out)
}
