package rest

import (
	"iter"
	"maps"
	"net/http"

	"github.com/syncline/syncline/node"
)

// Kinds of HTTP's own, which the core never has.
const (
	UnknownRoute     node.Kind = "unknown_route"      // no such path
	MethodNotAllowed node.Kind = "method_not_allowed" // Allow says which are
	NotAcceptable    node.Kind = "not_acceptable"     // Accept leaves out what the route gives
	SlowBody         node.Kind = "slow_body"          // the body did not come in time
	HeadersTooLarge  node.Kind = "headers_too_large"  // more than MaxHeaderBytes
	ForbiddenHost    node.Kind = "forbidden_host"     // Host names no address of this cluster
	CrossOrigin      node.Kind = "cross_origin"       // a browser's write from a foreign page
	PeerSilent       node.Kind = "peer_silent"        // another node must answer first, and does not
	RunInProgress    node.Kind = "run_in_progress"    // a chaos script is run already
	InvalidScript    node.Kind = "invalid_script"     // a chaos script is wrong, or does not fit this cluster
)

// Row is what the API makes of one kind of error.
type Row struct {
	Status int
	Title  string // a short sentence that is the same for every occurrence
	// RetryAfter is the number of seconds after which a retry makes sense; 0
	// leaves it to the client.
	RetryAfter int
}

// table is the one place where kinds become statuses.
var table = map[node.Kind]Row{
	node.Bug:             {Status: http.StatusInternalServerError, Title: "This is a fault of the server"},
	node.BadRequest:      {Status: http.StatusBadRequest, Title: "The request cannot be read"},
	node.BadJSON:         {Status: http.StatusBadRequest, Title: "The body is not strict JSON"},
	node.BadContext:      {Status: http.StatusBadRequest, Title: "The Causal-Context cannot be read"},
	node.WrongContext:    {Status: http.StatusBadRequest, Title: "The Causal-Context is of another document"},
	node.BadSession:      {Status: http.StatusBadRequest, Title: "The Session cannot be read"},
	node.BadCursor:       {Status: http.StatusBadRequest, Title: "The cursor cannot be read"},
	node.CursorExpired:   {Status: http.StatusGone, Title: "The cursor is too old"},
	node.Invalid:         {Status: http.StatusUnprocessableEntity, Title: "The request is well-formed but wrong"},
	node.NotFound:        {Status: http.StatusNotFound, Title: "There is no such thing"},
	node.Deleted:         {Status: http.StatusNotFound, Title: "The document was deleted"},
	node.SystemColl:      {Status: http.StatusForbidden, Title: "The collection belongs to the system"},
	node.Precondition:    {Status: http.StatusPreconditionFailed, Title: "The precondition does not hold"},
	node.StaleContext:    {Status: http.StatusConflict, Title: "The document has versions that the writer had not seen"},
	node.PatchConflict:   {Status: http.StatusConflict, Title: "The patch does not apply to what is there"},
	node.AtomicFailed:    {Status: http.StatusConflict, Title: "One line failed, so nothing was applied"},
	node.TooLarge:        {Status: http.StatusRequestEntityTooLarge, Title: "The body is too large"},
	node.Behind:          {Status: http.StatusServiceUnavailable, Title: "This node lacks what was asked for", RetryAfter: 1},
	node.ReadOnly:        {Status: http.StatusServiceUnavailable, Title: "This node cannot accept writes", RetryAfter: 2},
	node.Draining:        {Status: http.StatusServiceUnavailable, Title: "This node is stopping", RetryAfter: 2},
	node.Busy:            {Status: http.StatusServiceUnavailable, Title: "This node is too busy", RetryAfter: 1},
	node.LeaseLost:       {Status: http.StatusGatewayTimeout, Title: "The write was committed after the lease had ended"},
	node.Unknown:         {Status: http.StatusGatewayTimeout, Title: "Nobody knows whether the write was committed"},
	node.DiskFull:        {Status: http.StatusInsufficientStorage, Title: "The disk is full"},
	node.Corrupt:         {Status: http.StatusInternalServerError, Title: "Stored bytes are damaged"},
	node.OwnActorAhead:   {Status: http.StatusServiceUnavailable, Title: "This node's file went back in time"},
	node.NewerFile:       {Status: http.StatusInternalServerError, Title: "The file is from a newer program"},
	node.WrongIdentity:   {Status: http.StatusInternalServerError, Title: "The file belongs to another node"},
	node.Locked:          {Status: http.StatusInternalServerError, Title: "Another process has the folder"},
	node.NotBuilt:        {Status: http.StatusNotImplemented, Title: "This build does not have it yet"},
	node.ContextRequired: {Status: http.StatusPreconditionRequired, Title: "The collection takes no write that does not say what its writer had seen"},
	node.OpenConflict:    {Status: http.StatusConflict, Title: "The document is in conflict, and waits for somebody who has looked"},
	node.ConflictChanged: {Status: http.StatusConflict, Title: "The conflict has other siblings by now, or has ended"},
	node.NotEmpty:        {Status: http.StatusConflict, Title: "The collection still has documents"},
	node.UnsupportedType: {Status: http.StatusUnsupportedMediaType, Title: "The media type is not supported"},
	node.InvalidResolver: {Status: http.StatusUnprocessableEntity, Title: "The resolver cannot be stored"},
	node.ResolverInUse:   {Status: http.StatusConflict, Title: "A collection's policy names the resolver"},
	node.ResolverFailed:  {Status: http.StatusUnprocessableEntity, Title: "The resolver gives no value"},

	UnknownRoute:     {Status: http.StatusNotFound, Title: "There is no such path"},
	MethodNotAllowed: {Status: http.StatusMethodNotAllowed, Title: "The path does not have this method"},
	NotAcceptable:    {Status: http.StatusNotAcceptable, Title: "The path does not have the media type asked for"},
	SlowBody:         {Status: http.StatusRequestTimeout, Title: "The body came too slowly"},
	HeadersTooLarge:  {Status: http.StatusRequestHeaderFieldsTooLarge, Title: "The headers are too large"},
	ForbiddenHost:    {Status: http.StatusForbidden, Title: "The Host header names no address of this cluster"},
	CrossOrigin:      {Status: http.StatusForbidden, Title: "A page of another site may not write here"},
	PeerSilent:       {Status: http.StatusServiceUnavailable, Title: "The other node does not answer", RetryAfter: 2},
	RunInProgress:    {Status: http.StatusConflict, Title: "A chaos script is run already"},
	InvalidScript:    {Status: http.StatusUnprocessableEntity, Title: "The chaos script cannot be run here"},
}

// Lookup returns the row of a kind; of one that is not in the table, that of
// node.Bug, and false.
func Lookup(kind node.Kind) (Row, bool) {
	row, ok := table[kind]
	if !ok {
		row = table[node.Bug]
	}
	return row, ok
}

// Kinds yields the table.
func Kinds() iter.Seq2[node.Kind, Row] { return maps.All(table) }
