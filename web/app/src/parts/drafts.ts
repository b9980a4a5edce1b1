import { signal, type Signal } from "@preact/signals";

/** Drafts keep what somebody has begun to write for as long as the tab is open: whoever looks at another screen finds it again. */
export class Drafts<T> {
  private readonly kept: Signal<ReadonlyMap<string, T>> = signal(new Map());

  constructor() {
    // A tab that is closed would lose them: the browser asks first.
    addEventListener("beforeunload", (e) => {
      if (this.kept.value.size > 0) e.preventDefault();
    });
  }

  /** of returns the draft of a thing. */
  of(key: string): T | undefined {
    return this.kept.value.get(key);
  }

  /** keep keeps a draft, or drops it when it is null. */
  keep(key: string, draft: T | null): void {
    const next = new Map(this.kept.value);
    if (draft === null) next.delete(key);
    else next.set(key, draft);
    this.kept.value = next;
  }
}

/** guard are the headers of a write that must not cover another one unseen: the ETag of what the writer saw, or that there was nothing. */
export function guard(etag: string, context = ""): Record<string, string> {
  if (!etag) return { "If-None-Match": "*" };
  return { "If-Match": etag, ...(context ? { "Causal-Context": context } : {}) };
}

/** guardWords are the same for the command line. */
export function guardWords(etag: string, context = ""): string[] {
  if (!etag) return ["--if-none-match"];
  return ["--if-match", etag, ...(context ? ["--context", context] : [])];
}
