import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { bytes } from "../parts/text.tsx";
import { Failed, Trouble } from "../parts/trouble.tsx";
import { ReadOnlyNote } from "../parts/writing.tsx";
import { read } from "./batch.ts";
import { Loaded } from "./loaded.tsx";
import { Loading } from "./loading.ts";

/** maxFile is the longest file that the page reads, in bytes. A longer one is the command line's, which reads it bit by bit. */
const maxFile = 64_000_000;

/** The imports of this tab, by collection: one that has stopped waits here while somebody looks at other screens. */
const imports = signal<ReadonlyMap<string, Loading>>(new Map());

const keep = (collection: string, loading: Loading | null): void => {
  const rest = [...imports.value].filter(([name]) => name !== collection);
  imports.value = new Map(loading ? [...rest, [collection, loading]] : rest);
};

/** Import writes many documents of one collection from a file, or from what is pasted. */
export function Import({ collection }: { collection: string }) {
  const loading = imports.value.get(collection);
  return (
    <>
      <nav aria-label="Path">
        <a href={to("data")}>Data</a> / <a href={to("data", [collection])}>{collection}</a>
      </nav>
      <h1>Import into {collection}</h1>
      <p class="muted">
        NDJSON, or one JSON array. Each line is {'{"id": "alice", "doc": {…}}'} or {'{"id": "alice", "delete": true}'}, stands alone, and writes over what {viewed.value} shows.
      </p>
      <ReadOnlyNote />
      {loading ? <Loaded loading={loading} drop={() => keep(collection, null)} /> : <Choose collection={collection} chosen={(l) => keep(collection, l)} />}
    </>
  );
}

function Choose({ collection, chosen }: { collection: string; chosen: (loading: Loading) => void }) {
  const [pasted, paste] = useState("");
  const [reading, setReading] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [long, setLong] = useState<File | null>(null);
  const take = async (name: string, text: () => Promise<string>) => {
    setReading(0);
    setError(null);
    try {
      chosen(new Loading(collection, name, await read(await text(), setReading)));
    } catch (e) {
      setError(e);
    } finally {
      setReading(null);
    }
  };
  const pick = (file: File | undefined) => {
    setLong(file && file.size > maxFile ? file : null);
    if (file && file.size <= maxFile) void take(file.name, () => file.text());
  };
  return (
    <>
      <p>
        <label>
          file <input type="file" accept=".ndjson,.jsonl,.json" onChange={(e) => pick(e.currentTarget.files?.[0])} />
        </label>
      </p>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void take("what was pasted", () => Promise.resolve(pasted));
        }}
      >
        <label>
          or paste it here
          <textarea rows={8} spellcheck={false} required dir="ltr" value={pasted} onInput={(e) => paste(e.currentTarget.value)} placeholder={'{"id": "alice", "doc": {"balance": 120}}'} />
        </label>
        <button type="submit">Look at it</button>
      </form>
      {reading !== null && (
        <p role="status">
          reading <progress value={reading} aria-label="read" />
        </p>
      )}
      {error !== null && <Failed error={error} />}
      {long && (
        <Trouble
          what="Too long for the page"
          cause={`${long.name} has ${bytes(long.size)}; the page reads at most ${bytes(maxFile)}.`}
          remedy={`The command line reads it bit by bit: ${command(base.value, "import", collection, long.name)}`}
        />
      )}
    </>
  );
}
