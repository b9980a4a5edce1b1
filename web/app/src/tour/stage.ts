import type { Facts } from "./account.ts";
import type { Kept } from "./kept.ts";

/** The steps of the tour, in order. */
export const stages = ["open", "cut", "vote", "refuse", "heal", "meet", "decide", "done"] as const;
export type Stage = (typeof stages)[number];

/** The balances of the story: the account, what is left at the first node, and at the second. */
export const start = 120;
export const takes = [100, 50] as const;
export const left = [start - takes[0], start - takes[1]] as const;

/** What the cluster shows, as far as the tour asks. */
export interface Seen {
  facts: Facts;
  cut: boolean;
  landed: boolean; // the vote is on one side
}

/**
 * stageOf finds where the tour stands from what the cluster shows. What is kept
 * only says which of two steps it is where the cluster looks the same in both.
 * Without an answer of both nodes, a step is as it was.
 */
export function stageOf(kept: Kept, { facts, cut, landed }: Seen, before: Stage): Stage {
  const [a, b] = facts.sides;
  if (!a || !b) return before;
  if (a.versions > 1 || b.versions > 1) return a.versions > 1 && b.versions > 1 && facts.conflict ? "decide" : "meet";
  if (cut && a.balance === left[0] && b.balance === left[1]) {
    if (kept.refused) return "heal";
    return landed ? "refuse" : "vote";
  }
  if (cut && kept.cutAt) return kept.missed ? "heal" : before;
  if (a.balance !== b.balance) return kept.cutAt ? "meet" : "open";
  if (kept.settled) return "done";
  if (kept.conflict) return "done"; // somebody else has ended it
  if (kept.begun && !kept.cutAt && a.balance === start) return "cut";
  // The link is whole again, and the two writes have not met yet.
  if (kept.cutAt && !kept.missed && a.balance !== start) return "meet";
  return "open";
}
