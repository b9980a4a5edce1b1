// The text format of Prometheus, as far as processes of a cluster write it:
// one sample a line, without times.

/** Sample is one figure of a process. */
export interface Sample {
  name: string;
  labels: ReadonlyMap<string, string>;
  value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const escapes: Record<string, string> = { n: "\n", '"': '"', "\\": "\\" };

/** samples reads what /metrics answers. A line that is none is left out: others may add to the format. */
export function samples(text: string, prefix = ""): Sample[] {
  const out: Sample[] = [];
  for (const one of text.split("\n")) {
    if (!one.startsWith(prefix)) continue;
    const [, name, labels = "", value] = line.exec(one) ?? [];
    if (name === undefined || value === undefined) continue;
    const n = value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value);
    const named = [...labels.matchAll(label)].map(([, key = "", text = ""]): [string, string] => [key, text.replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c)]);
    out.push({ name, labels: new Map(named), value: n });
  }
  return out;
}
