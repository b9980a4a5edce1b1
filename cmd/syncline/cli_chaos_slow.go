package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/node/link"
)

const (
	// defaultDelay is what a slow link adds to each message that does not say it.
	defaultDelay = 50 * time.Millisecond

	// defaultLoss is the share of messages that a lossy link loses.
	defaultLoss = 0.3
)

// newSlowCommand delays what passes a link.
func newSlowCommand(a *app) *cobra.Command {
	var oneWay bool
	var lasts, delay time.Duration
	cmd := &cobra.Command{
		Use: "slow A B", Short: "Delay what passes the link between two members", Args: exactArgs(2),
		Long:    "Delays all that two members send to each other. With --one-way, only what A sends to B.",
		Example: "  syncline chaos slow a b --delay 50ms --for 30s",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if delay <= 0 || delay > link.MaxDelay {
				return usagef("--delay %s: above 0s, at most %s", delay, link.MaxDelay)
			}
			return r.disturb(ctx, args, client.Fault{Kind: client.FaultDelay, Both: !oneWay, Duration: client.Span(lasts), Delay: client.Span(delay)})
		}),
	}
	cmd.Flags().DurationVar(&delay, "delay", defaultDelay, "by how much, in each direction")
	disturbFlags(cmd, &oneWay, &lasts)
	return cmd
}

// newLoseCommand loses some of what passes a link.
func newLoseCommand(a *app) *cobra.Command {
	var oneWay bool
	var lasts time.Duration
	var loss float64
	cmd := &cobra.Command{
		Use: "lose A B", Short: "Lose some of what passes the link between two members", Args: exactArgs(2),
		Long:    "Loses a share of what two members send to each other. With --one-way, only of what A sends to B.",
		Example: "  syncline chaos lose a b --loss 0.3 --for 30s",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if !(loss > 0 && loss <= 1) {
				return usagef("--loss %v: above 0, at most 1", loss)
			}
			return r.disturb(ctx, args, client.Fault{Kind: client.FaultLoss, Both: !oneWay, Duration: client.Span(lasts), Loss: loss})
		}),
	}
	cmd.Flags().Float64Var(&loss, "loss", defaultLoss, "the share that is lost, above 0 and at most 1")
	disturbFlags(cmd, &oneWay, &lasts)
	return cmd
}

func disturbFlags(cmd *cobra.Command, oneWay *bool, lasts *time.Duration) {
	cmd.Flags().BoolVar(oneWay, "one-way", false, "only what A sends to B")
	cmd.Flags().DurationVar(lasts, "for", defaultCut, "how long; it heals by itself then")
}

// disturb puts a fault that works on what is sent where it is sent: on both
// ends, or, one way, on the first alone.
func (r *remote) disturb(ctx context.Context, names []string, fault client.Fault) error {
	if d := time.Duration(fault.Duration); d <= 0 || d > maxCut {
		return usagef("--for %s: above 0s, at most %s", d, maxCut)
	}
	ends, err := findEnds(ctx, r.client, names)
	if err != nil {
		return err
	}
	fault.From, fault.To = names[0], names[1]
	if !fault.Both {
		ends, err = findEnds(ctx, r.client, names[:1])
		if err != nil {
			return err
		}
	}
	put, err := breakLink(ctx, ends, fault)
	if err != nil {
		return err
	}
	return r.showFaults(put)
}
