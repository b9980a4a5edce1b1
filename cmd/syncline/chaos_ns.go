package main

import (
	"context"
	"errors"
	"github.com/syncline/syncline/scripts/chaos"
)

type namespaceCluster struct{ chaosProcesses }

func startNamespaces(context.Context, chaos.Spec, chaosRun) (*namespaceCluster, error) {
	return nil, errors.New("x")
}
