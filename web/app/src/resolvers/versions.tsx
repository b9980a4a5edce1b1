import { useState } from "preact/hooks";
import { ask } from "../api/call.ts";
import { command } from "../api/twin.ts";
import { go, to } from "../frame/route.ts";
import { base, viewed } from "../live/members.ts";
import { Act } from "../parts/act.tsx";
import { useAsk } from "../parts/ask.ts";
import { guard } from "../parts/drafts.ts";
import { Id } from "../parts/text.tsx";
import { Ago } from "../parts/time.tsx";
import { Failed } from "../parts/trouble.tsx";
import { whyNot } from "../parts/writing.tsx";
import { type Version, versions } from "./shapes.ts";

interface Props {
  name: string;
  etag: string;
  hash: string; // of the version in force
  changed: () => void;
}

/** Versions lists those that were stored, the youngest first; each can be brought back. */
export function Versions(props: Props) {
  const { name, etag } = props;
  const { answer, again } = useAsk((signal) => ask(base.value, `/v1/resolvers/${name}/versions`, versions, signal), [base.value, name, etag]);
  return (
    <section>
      <h2>Versions</h2>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && <List {...props} list={answer.value.versions} />}
      <p>
        <Act
          action={{
            label: `Delete ${name}`,
            calls: [{ base: base.value, method: "DELETE", path: `/v1/resolvers/${name}`, headers: guard(etag) }],
            command: command(base.value, "resolver", "rm", name, "--if-match", etag),
            scope: "admin",
            confirm: `Take ${name} away? Its versions stay, since records name them.`,
          }}
          disabled={whyNot()}
          done={() => go(to("resolvers"))}
        />
      </p>
    </section>
  );
}

function List({ name, etag, changed, list }: Props & { list: Version[] }) {
  const [read, setRead] = useState("");
  const shown = list.find((v) => v.hash === read);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Versions">
        <table>
          <thead>
            <tr>
              <th scope="col">version</th>
              <th scope="col">stored</th>
              <th scope="col">state</th>
              <th scope="col">
                <span class="hidden">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map((v) => (
              <tr>
                <th scope="row">
                  <Id value={v.hash} />
                </th>
                <td>
                  <Ago at={v.at} /> by <bdi>{v.who}</bdi>
                </td>
                <td>{v.present ? "in force" : "older"}</td>
                <td>
                  <button type="button" class="link" aria-expanded={read === v.hash} onClick={() => setRead(read === v.hash ? "" : v.hash)}>
                    read
                  </button>{" "}
                  {!v.present && (
                    <Act
                      action={{
                        label: "Roll back to it",
                        calls: [{ base: base.value, method: "POST", path: `/v1/resolvers/${name}/rollback`, body: { hash: v.hash }, headers: guard(etag) }],
                        command: command(base.value, "resolver", "rollback", name, v.hash, "--if-match", etag),
                        scope: "admin",
                      }}
                      disabled={whyNot()}
                      done={changed}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown && (
        <pre class="resolvers-output" tabIndex={0} aria-label={`Source of version ${shown.hash}`}>
          {shown.source}
        </pre>
      )}
    </>
  );
}
