package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/hashicorp/go-hclog"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// pathBallot is where ballots go on the peer port.
const pathBallot = "/peer/v1/ballot"

// unbuiltPeerPaths are promised by API.md and not kept by this build.
var unbuiltPeerPaths = []string{"/peer/v1/snapshot", "/peer/v1/journal", "/peer/v1/roster"}

// newCredentials proves who this process is.
func newCredentials(secret peer.Secret, me roleMember, r roster) (*peer.Credentials, error) {
	return peer.NewCredentials(peer.CredentialsConfig{
		Secret: secret, Identity: peer.Identity{Cluster: r.Cluster, Role: me.Role, Name: me.Name},
	})
}

// newPeerServer makes the peer port without the handlers of a role.
func newPeerServer(credentials *peer.Credentials, r roster, log hclog.Logger) (*peer.Server, error) {
	server, err := peer.NewServer(peer.ServerConfig{
		Credentials: credentials, Roster: r.peers, Refused: refusedLog(log), Log: slogTo(log.Named("peer")),
	})
	if err != nil {
		return nil, err
	}
	for _, path := range unbuiltPeerPaths {
		server.Handle(path, func(_ context.Context, _ peer.Caller, w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.URL.Path+" is not built yet", http.StatusNotImplemented)
		})
	}
	return server, nil
}

// ballotCaller carries ballots, on connections of their own.
type ballotCaller struct{ client *peer.Client }

// Call implements quorum.Caller.
func (c ballotCaller) Call(ctx context.Context, to string, body []byte) ([]byte, error) {
	return c.client.Ballot(ctx, to, pathBallot, body, wire.MaxBallotBytes)
}

// newPeerPorts makes both ends of this node's connections with the others.
func (n *dataNode) newPeerPorts() error {
	credentials, err := newCredentials(n.secret, n.me, n.roster)
	if err != nil {
		return err
	}
	if n.peerServer, err = newPeerServer(credentials, n.roster, n.log); err != nil {
		return err
	}
	n.peerClient, err = peer.NewClient(peer.ClientConfig{
		Credentials: credentials, Roster: n.roster.peers, Network: n.link, Refused: refusedLog(n.log),
	})
	return err
}

// mount puts this node's handlers on the peer port.
func (n *dataNode) mount() {
	n.peerServer.Handle(pathBallot, answerMessage(func(_ context.Context, caller string, body []byte) ([]byte, error) {
		return n.runner.HandleBallot(caller, body)
	}))
	n.peerServer.Handle(replica.PathHello, answerMessage(n.answerHello))
	n.peerServer.Handle(replica.PathDigest, answerMessage(n.answerDigest))
	n.peerServer.Handle(replica.PathChanges, func(ctx context.Context, caller peer.Caller, w http.ResponseWriter, r *http.Request) {
		if caller.Role != peer.Data {
			http.Error(w, "changes go to data nodes only", http.StatusForbidden)
			return
		}
		n.replicator.ServeChanges(ctx, caller.Name, w, r)
	})
}

// answerMessage makes a handler of a function that answers one short message.
func answerMessage(answer func(ctx context.Context, caller string, body []byte) ([]byte, error)) peer.Handler {
	return func(ctx context.Context, caller peer.Caller, w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxBallotBytes))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		reply, err := answer(ctx, caller.Name, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write(reply) // a caller that has gone needs no answer
	}
}

// hello is how this node presents itself.
func (n *dataNode) hello() wire.Hello {
	frontier := n.engine.Frontier()
	if frontier.Len() > wire.MaxBallotFrontier {
		own := n.engine.Actor()
		frontier = vclock.VectorOf(vclock.Dot{Actor: own, Seq: frontier.Get(own)})
	}
	return wire.Hello{
		Version: wire.Version, Cluster: n.roster.Cluster, Epoch: n.roster.Epoch, Name: n.me.Name,
		Role: wire.RoleData, Build: shortBuild(), Life: wire.Life(n.runner.State().Life),
		Standing: wire.Standing(n.engine.Standing()), Actor: n.engine.Actor(), Frontier: frontier,
	}
}

// answerHello hears who calls and says who this is.
func (n *dataNode) answerHello(ctx context.Context, caller string, body []byte) ([]byte, error) {
	var h wire.Hello
	if err := wire.Decode(body, &h); err != nil {
		return nil, err
	}
	if err := h.Check(); err != nil {
		return nil, err
	}
	if h.Name != caller || h.Cluster != n.roster.Cluster {
		return nil, fmt.Errorf("a hello of %s of cluster %s was sent by %s", h.Name, h.Cluster, caller)
	}
	if err := n.engine.OwnActorSeen(caller, h.Frontier.Get(n.engine.Actor())); err != nil {
		return nil, err
	}
	if err := n.engine.PeerStanding(ctx, h.Name, node.Standing(h.Standing)); err != nil {
		return nil, err
	}
	mine := n.hello()
	return wire.Encode(&mine)
}
