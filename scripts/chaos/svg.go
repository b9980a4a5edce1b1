package chaos

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/syncline/syncline/scripts/chaos/history"
)

// Measures of the drawing, in pixels.
const (
	svgWidth  = 960
	svgLeft   = 80 // names of the lanes
	svgRight  = 16
	svgTop    = 28 // the axis
	laneStep  = 64
	laneBar   = 24
	tickArea  = 24
	bandStep  = 18
	svgLegend = 56
)

// stateLook is how a state is drawn: by pattern, word and colour.
type stateLook struct{ state, word, fill string }

// looks are the four signs of the dashboard.
func looks() []stateLook {
	return []stateLook{
		{history.Writable, "writable", "#2f7d4f"},
		{history.ReadOnly, "read-only", "url(#hatch)"},
		{history.Down, "down", "#ffffff"},
		{history.Silent, "silent", "url(#dots)"},
	}
}

// svg draws with texts escaped.
type svg struct{ strings.Builder }

func (s *svg) add(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

func (s *svg) text(x, y float64, class, text string) {
	s.add(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, escaped(text))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}

// SVG draws the timeline: a lane for each node in colour and words, ticks for
// accepted, refused and conflicting writes, bands for faults.
func (t *Timeline) SVG() []byte {
	s := &svg{}
	height := svgTop + len(t.Lanes)*laneStep + len(t.Bands)*bandStep + svgLegend
	s.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, svgWidth, height, svgWidth, height)
	s.add(`<title>%s</title>`, escaped(fmt.Sprintf("Timeline of %s, seed %d", t.Script, t.Seed)))
	s.add(`<style>text{font:12px system-ui,sans-serif;fill:#222}.faint{fill:#666}.name{font-weight:600}.bar{stroke:#444;stroke-width:1}.halo{paint-order:stroke;stroke:#fff;stroke-width:4px}</style>`)
	s.add(`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#f3d9a4"/><line x1="0" y1="0" x2="0" y2="6" stroke="#a06a00" stroke-width="2"/></pattern>`)
	s.add(`<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#eee"/><circle cx="3" cy="3" r="1" fill="#555"/></pattern></defs>`)
	s.add(`<rect width="%d" height="%d" fill="#fff"/>`, svgWidth, height)
	t.axis(s, height-svgLegend)
	bands := float64(svgTop + len(t.Lanes)*laneStep)
	for i, b := range t.Bands {
		t.band(s, b, bands+float64(i*bandStep))
	}
	for i := range t.Lanes {
		t.lane(s, &t.Lanes[i], float64(svgTop+i*laneStep))
	}
	legend(s, float64(height-svgLegend)+20)
	s.add(`</svg>`)
	return []byte(s.String())
}

// x is the place of an instant.
func (t *Timeline) x(at int64) float64 {
	return svgLeft + float64(at)/float64(max(1, int64(t.Took)))*(svgWidth-svgLeft-svgRight)
}

// axisSteps are the distances between two lines of the axis that are tried.
func axisSteps() []time.Duration {
	return []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	}
}

// maxLines is the most lines of the axis.
const maxLines = 12

func (t *Timeline) axis(s *svg, bottom int) {
	step := axisSteps()[len(axisSteps())-1]
	for _, d := range axisSteps() {
		if t.Took/d <= maxLines {
			step = d
			break
		}
	}
	for at := time.Duration(0); at <= t.Took; at += step {
		x := t.x(int64(at))
		s.add(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/>`, x, svgTop-8, x, bottom)
		s.text(x+2, svgTop-12, "faint", at.String())
	}
}

// tint is how strongly all bands together colour the lanes behind them.
const tint = 0.25

// wideBand is how wide a band must be to hold its label.
const wideBand = 220

func (t *Timeline) band(s *svg, b Band, y float64) {
	from, to := t.x(b.From), max(t.x(b.To), t.x(b.From)+2)
	s.add(`<rect x="%.1f" y="%d" width="%.1f" height="%.1f" fill="#b3261e" opacity="%.3f"/>`,
		from, svgTop, to-from, y-svgTop+bandStep, min(0.1, tint/float64(len(t.Bands))))
	s.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#b3261e" stroke-width="3" stroke-dasharray="6 3"/>`, from, y+16, to, y+16)
	label := escaped(fmt.Sprintf("✂ %s, %s", b.Fault, time.Duration(b.To-b.From).Round(10*time.Millisecond)))
	switch {
	case to-from > wideBand:
		s.add(`<text x="%.1f" y="%.1f" class="halo">%s</text>`, from+6, y+12, label)
	case to < svgWidth*2/3:
		s.add(`<text x="%.1f" y="%.1f" class="faint">%s</text>`, to+4, y+16, label)
	default:
		s.add(`<text x="%.1f" y="%.1f" class="faint" text-anchor="end">%s</text>`, from-4, y+16, label)
	}
}

func (t *Timeline) lane(s *svg, l *Lane, y float64) {
	s.text(8, y+16, "name", l.Node)
	for _, one := range l.States {
		from, to := t.x(one.From), t.x(one.To)
		for _, look := range looks() {
			if look.state != one.State {
				continue
			}
			s.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s" class="bar"><title>%s</title></rect>`,
				from, y, max(1, to-from), laneBar, look.fill, escaped(fmt.Sprintf("%s: %s, %s", l.Node, look.word, time.Duration(one.To-one.From).Round(time.Millisecond))))
			if to-from > 60 && one.State == history.Writable {
				s.add(`<text x="%.1f" y="%.1f" style="fill:#fff">%s</text>`, from+6, y+16, look.word)
			} else if to-from > 60 {
				s.add(`<text x="%.1f" y="%.1f" class="halo">%s</text>`, from+6, y+16, look.word)
			}
		}
	}
	rows := map[string]float64{tickAck: 0, tickConflict: 1, tickUnknown: 2, tickRefused: 2}
	colours := map[string]string{tickAck: "#2f7d4f", tickConflict: "#6b3fa0", tickUnknown: "#777", tickRefused: "#b3261e"}
	width := (float64(svgWidth) - svgLeft - svgRight) / tickSlots
	for _, tick := range l.Ticks {
		top := y + laneBar + 2 + rows[tick.Kind]*tickArea/3
		s.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"><title>%d %s</title></rect>`,
			t.x(tick.AtNS), top, max(1, width-1), tickArea/3-1, colours[tick.Kind], tick.Count, tick.Kind)
	}
}

func legend(s *svg, y float64) {
	x := float64(svgLeft)
	for _, look := range looks() {
		s.add(`<rect x="%.1f" y="%.1f" width="16" height="12" fill="%s" class="bar"/>`, x, y-10, look.fill)
		s.text(x+22, y, "faint", look.word)
		x += 110
	}
	s.text(svgLeft, y+20, "faint", "Below each lane: writes acknowledged (green), in conflict (violet), refused (red) or unknown (grey). Dashed red: faults.")
}
