package rest

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/vclock"
)

// compared is a Differences that a test lays down.
type compared struct {
	page node.DifferencePage
	err  error
	last node.DifferenceQuery
}

func (c *compared) Differences(_ context.Context, q node.DifferenceQuery) (node.DifferencePage, error) {
	c.last = q
	if q.Node != "a" {
		return node.DifferencePage{}, &node.Error{Op: "compare", Kind: node.Invalid, Key: q.Node, Err: errors.New("want another data node of the roster: a")}
	}
	return c.page, c.err
}

// oneDifference is a document that only the other node has.
func oneDifference() node.DifferencePage {
	dot := vclock.Dot{Actor: "a~k3f9x2mz", Seq: 42}
	return node.DifferencePage{Next: "more", Differences: []node.Difference{{
		Key:   conflict.Key{Collection: "accounts", ID: "alice"},
		There: &node.Copy{ID: "alice", Dots: []vclock.Dot{dot}, Tag: dot.String()},
	}}}
}

const keys = "/v1/cluster/divergence/keys"

// eventWorlds are the calls of streams, of the timeline, and of comparing.
// Streams end at once there, since the server drains.
func eventWorlds() []world {
	drained := func(s *stand) { s.server.stopNow() }
	bad := func(target string) call { return call{method: "GET", target: target, status: 400, code: "bad_request"} }
	return []world{
		{name: "streams", setup: drained, calls: []call{
			{method: "GET", target: "/v1/changes?feed=sse", status: 200},
			{method: "GET", target: "/v1/changes?feed=ndjson", status: 200},
			{method: "HEAD", target: "/v1/changes?feed=sse", status: 200},
			{method: "GET", target: "/v1/changes?feed=sse", status: 400, code: "bad_cursor", headers: merge("Last-Event-ID: x")},
			{method: "GET", target: "/v1/changes?feed=sse", status: 406, code: "not_acceptable", headers: merge("Accept: application/json")},
			{method: "GET", target: "/v1/events", status: 200},
			{method: "GET", target: "/v1/events", status: 200, headers: merge("Accept: application/x-ndjson")},
			{method: "HEAD", target: "/v1/events", status: 200},
			{method: "GET", target: "/v1/events", status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
			bad("/v1/events?feed=page"),
			bad("/v1/changes?feed=events"),
		}},
		{name: "too many streams", setup: func(s *stand) {
			for range stream.MaxStreams {
				if _, ok := s.server.places.Take(); !ok {
					panic("no place for a stream that is within the limit")
				}
			}
		}, calls: []call{
			{method: "GET", target: "/v1/events", status: 503, code: "busy"},
			{method: "GET", target: "/v1/changes?feed=ndjson", status: 503, code: "busy"},
			{method: "GET", target: "/v1/changes", status: 200},
		}},
		{name: "timeline", calls: []call{
			{method: "GET", target: "/v1/timeline", status: 200},
			{method: "GET", target: "/v1/timeline?from=2026-11-21T14:00:00Z&to=2026-11-21T15:00:00Z&limit=7", status: 200},
			bad("/v1/timeline?from=yesterday"),
			bad("/v1/timeline?from=2026-11-21T15:00:00Z&to=2026-11-21T14:00:00Z"),
			bad("/v1/timeline?limit=0"),
			{method: "GET", target: "/v1/timeline?cursor=1-1", status: 400, code: "bad_cursor"},
		}},
		{name: "no timeline", setup: func(s *stand) { s.server.cfg.Timeline = nil }, calls: []call{
			{method: "GET", target: "/v1/timeline", status: 404, code: "unknown_route"},
		}},
		{name: "comparing", setup: func(s *stand) { s.compared.page = oneDifference() }, calls: []call{
			{method: "GET", target: keys + "?node=a&c=accounts&limit=3&cursor=x", status: 200},
			bad(keys),
			bad(keys + "?node=a&c=A"),
			bad(keys + "?node=a&limit=many"),
			{method: "GET", target: keys + "?node=w", status: 422, code: "invalid"},
		}},
		{name: "comparing with a silent node", setup: func(s *stand) { s.compared.err = fmt.Errorf("a does not answer: %w", context.DeadlineExceeded) }, calls: []call{
			{method: "GET", target: keys + "?node=a", status: 503, code: "peer_silent"},
		}},
		{name: "nobody to compare with", setup: func(s *stand) { s.server.cfg.Differences = nil }, calls: []call{
			{method: "GET", target: keys + "?node=a", status: 501, code: "not_built"},
		}},
	}
}
