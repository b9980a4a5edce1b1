import { ask } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { AsOf } from "../parts/asof.tsx";
import { useAsk } from "../parts/ask.ts";
import { Copy } from "../parts/copy.tsx";
import { Id } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { type Resolver, resolvers } from "./shapes.ts";
import { templatesOf } from "./templates.ts";

/** Resolvers lists the scripts that settle conflicts. */
export function Resolvers() {
  const { answer, again } = useAsk((signal) => ask(base.value, "/v1/resolvers", resolvers, signal), [base.value]);
  return (
    <>
      <h1>Resolvers</h1>
      <p class="muted">A resolver is a script that settles conflicts by a rule of yours, the same on every node. A collection uses it once its policy names it.</p>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (
        <>
          {answer.value.resolvers.length === 0 ? <Empty /> : <List list={answer.value.resolvers} />}
          <AsOf at={answer.at} again={again} renewing={answer.renewing} />
        </>
      )}
      <Begin />
    </>
  );
}

function List({ list }: { list: Resolver[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Resolvers">
      <table>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">version in force</th>
            <th scope="col">stored</th>
            <th scope="col">used by</th>
          </tr>
        </thead>
        <tbody>
          {list.map((r) => (
            <tr>
              <th scope="row">
                <a href={to("resolvers", [r.name])}>{r.name}</a>
              </th>
              <td>
                <Id value={r.hash} />
              </td>
              <td>
                <Ago at={r.at} /> by <bdi>{r.who}</bdi>
              </td>
              <td>
                <UsedBy names={r.used_by} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** UsedBy names the collections whose policy names a resolver. */
export function UsedBy({ names }: { names: string[] }) {
  if (names.length === 0) return <span class="muted">no collection</span>;
  return (
    <>
      {names.map((c, i) => (
        <>
          {i > 0 && ", "}
          <a href={to("settings", [c])}>{c}</a>
        </>
      ))}
    </>
  );
}

function Empty() {
  return (
    <>
      <p>There are none yet. Begin with one below, or store one from a file:</p>
      <Copy label="copy command" text={command(base.value, "resolver", "put", "my_rule", "my_rule.star")} />
    </>
  );
}

/** Begin offers a source to begin with. */
function Begin() {
  const { answer, again } = useAsk((signal) => templatesOf(base.value, signal), [base.value]);
  if (answer.state === "failed") return <Failed error={answer.error} at={answer.at} retry={again} />;
  if (answer.state === "asking") return null;
  return (
    <>
      <h2>Write a new one</h2>
      <p class="resolvers-begin">
        {answer.value.map(({ name }, i) => (
          <a href={to("resolvers", [], { new: name })}>{i === 0 ? "from an empty template" : `from ${name}`}</a>
        ))}
      </p>
    </>
  );
}
