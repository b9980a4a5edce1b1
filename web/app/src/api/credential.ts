import { signal } from "@preact/signals";

// The token of the person at the page. It is held in memory and sessionStorage,
// never in a cookie: cookies do not reach other hosts, and all ports of one
// address share them.

const place = "syncline.token";

/** credential is the token that every request carries, or "". */
export const credential = signal(sessionStorage.getItem(place) ?? "");

/** wanted is why the cluster asks for a token, or "" when it does not. */
export const wanted = signal("");

/** present keeps a token for as long as the tab is open. */
export function present(token: string): void {
  sessionStorage.setItem(place, token);
  credential.value = token;
  wanted.value = "";
  forbidden.value = new Set();
}

/**
 * forget drops a token that a node did not take. Answers come late: one to a
 * token that was replaced meanwhile, or to none, alters nothing that is known.
 */
export function forget(token: string, why: string): void {
  if (token !== credential.value || (token === "" && wanted.value)) return;
  sessionStorage.removeItem(place);
  credential.value = "";
  wanted.value = why || "a node asks who you are";
}

/** The scopes that a token may have. */
const scopes = ["read", "write", "resolve", "chaos", "admin"] as const;

/** Scope is what a token must allow for an action. */
export type Scope = (typeof scopes)[number];

/** forbidden are the scopes that the token lacks, as far as nodes have said so. A cluster with `auth: none` forbids nothing. */
export const forbidden = signal<ReadonlySet<Scope>>(new Set());

/** lack notes that a node has refused a token since it lacks a scope. */
export function lack(token: string, scope: string): void {
  const known = scopes.find((s) => s === scope);
  if (known && token === credential.value) forbidden.value = new Set([...forbidden.value, known]);
}
