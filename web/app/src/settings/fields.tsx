import type { ComponentChildren } from "preact";
import { to } from "../frame/route.ts";
import { type Config, defaults, deletes, kinds, minorities, rules } from "./config.ts";

interface Props {
  config: Config;
  wrong: Map<keyof Config, string>;
  names: string[]; // of resolvers
  disabled: boolean; // it is being read anew
  change: (part: Partial<Config>) => void;
}

/** Fields are the form of a configuration. What is wrong is said beside its field. */
export function Fields(props: Props) {
  const { config: c, change } = props;
  return (
    <form class="settings-form" onSubmit={(e) => e.preventDefault()}>
      <fieldset disabled={props.disabled}>
        <legend>When writers changed one document that had not seen each other</legend>
        <Choice {...props} field="kind" label="policy" options={kinds} />
        {c.kind === "lww" && <Text {...props} field="path" label="compare" hint="a JSON pointer of a number, whose largest is shown; empty: the time of writing" />}
        {c.kind === "script" && <Resolver {...props} />}
        <Rules {...props} />
        <Choice {...props} field="delete" label="a delete beside an update" options={deletes} />
      </fieldset>
      <fieldset disabled={props.disabled}>
        <legend>Writing</legend>
        <Choice {...props} field="minority" label="a node without a majority" options={minorities} />
        <Row label="writers must say what they saw">
          <input type="checkbox" aria-label="writers must say what they saw" checked={c.requireContext} onChange={(e) => change({ requireContext: e.currentTarget.checked })} />{" "}
          <span class="muted">a write without If-Match or Causal-Context is refused</span>
        </Row>
        <Text {...props} field="body" label="longest document" hint="bytes, at most 16777216" />
        <Row label="acknowledged by">
          the node that was asked <span class="muted">(majority and all are not in this build)</span>
        </Row>
      </fieldset>
      <fieldset disabled={props.disabled}>
        <legend>Keeping</legend>
        <Text {...props} field="history" label="old versions" hint="how long, such as 720h, or forever; 0s: not at all" />
        <Text {...props} field="records" label="records of conflicts" hint="how long, such as 720h, or forever" />
      </fieldset>
    </form>
  );
}

function Row({ label, wrong, children }: { label: string; wrong?: string | undefined; children: ComponentChildren }) {
  return (
    <div class="settings-row">
      <span>{label}</span>
      <span>
        {children} {wrong && <strong class="warn">{wrong}</strong>}
      </span>
    </div>
  );
}

type TextField = "path" | "body" | "history" | "records";

function Text({ config, wrong, change, field, label, hint }: Props & { field: TextField; label: string; hint: string }) {
  return (
    <Row label={label} wrong={wrong.get(field)}>
      <input type="text" aria-label={label} aria-invalid={wrong.has(field)} value={config[field]} onInput={(e) => change({ [field]: e.currentTarget.value })} /> <span class="muted">{hint}</span>
    </Row>
  );
}

type ChoiceField = "kind" | "delete" | "minority";

function Choice({ config, wrong, change, field, label, options }: Props & { field: ChoiceField; label: string; options: { value: string; means: string }[] }) {
  return (
    <Row label={label} wrong={wrong.get(field)}>
      <select aria-label={label} aria-invalid={wrong.has(field)} value={config[field]} onChange={(e) => change({ [field]: e.currentTarget.value })}>
        {options.map((o) => (
          <option value={o.value}>{o.value}</option>
        ))}
      </select>{" "}
      <span class="muted">{options.find((o) => o.value === config[field])?.means}</span>
    </Row>
  );
}

function Resolver({ config, wrong, names, change }: Props) {
  const known = config.resolver === "" || names.includes(config.resolver) ? names : [config.resolver, ...names];
  return (
    <Row label="resolver" wrong={wrong.get("resolver")}>
      <select aria-label="resolver" aria-invalid={wrong.has("resolver")} value={config.resolver} onChange={(e) => change({ resolver: e.currentTarget.value })}>
        <option value="">choose one</option>
        {known.map((n) => (
          <option value={n}>{n}</option>
        ))}
      </select>{" "}
      <a href={to("resolvers", config.resolver ? [config.resolver] : [])}>resolvers</a>
    </Row>
  );
}

/** Rules are those of members: what merge does with each, and which sums the other policies keep. */
function Rules({ config, wrong, change }: Props) {
  const set = (i: number, rule: [string, string] | null) => change({ rules: config.rules.flatMap((r, at) => (at !== i ? [r] : rule ? [rule] : [])) });
  return (
    <Row label="rules of members" wrong={wrong.get("rules")}>
      {config.kind !== "merge" && <span class="muted">Merge uses them. Other policies keep sums by them, so that a resolver knows what each side added. </span>}
      {config.rules.map(([path, rule], i) => (
        <span class="settings-rule">
          <input type="text" aria-label={`path of rule ${i + 1}`} placeholder="/balance" value={path} onInput={(e) => set(i, [e.currentTarget.value, rule])} />
          <select aria-label={`rule ${i + 1}`} value={rule} onChange={(e) => set(i, [path, e.currentTarget.value])}>
            {rules.map((r) => (
              <option value={r}>{r}</option>
            ))}
          </select>
          <button type="button" onClick={() => set(i, null)}>
            take away <span class="hidden">{`rule ${i + 1}`}</span>
          </button>
        </span>
      ))}
      <button type="button" onClick={() => change({ rules: [...config.rules, ["/", "sum"]] })}>
        Add a rule
      </button>{" "}
      {config.kind === "merge" && (
        <label>
          all others{" "}
          <select value={config.byDefault || "lww"} onChange={(e) => change({ byDefault: e.currentTarget.value })}>
            {defaults.map((r) => (
              <option value={r}>{r}</option>
            ))}
          </select>
        </label>
      )}
    </Row>
  );
}
