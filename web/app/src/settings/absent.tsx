import { ask } from "../api/call.ts";
import { base, viewed } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Failed } from "../parts/trouble.tsx";
import { described } from "./shapes.ts";

/** What this screen is to have, the routes that will do it, and what to do meanwhile. */
const promised: { what: string; routes: [method: string, path: string][]; meanwhile: string }[] = [
  { what: "Changing the roster", routes: [["post", "/v1/cluster/roster"]], meanwhile: "The roster is that of the cluster's file at the first start." },
  { what: "Forgetting a lost node", routes: [["post", "/v1/cluster/forget"]], meanwhile: "Bring the node back with its own data folder." },
  { what: "Override with a reason", routes: [["post", "/v1/cluster/override"]], meanwhile: "Only a majority of votes lets a node take writes." },
  {
    what: "Tokens",
    routes: [
      ["get", "/v1/admin/tokens"],
      ["post", "/v1/admin/tokens"],
    ],
    meanwhile: "auth: none, on loopback only unless --insecure. Everyone who reaches the API may do everything.",
  },
  { what: "Backup", routes: [["get", "/v1/admin/backup"]], meanwhile: "syncline export writes one collection." },
  { what: "Compaction", routes: [["post", "/v1/admin/compact"]], meanwhile: "Old versions and records are dropped by themselves after the times of each collection." },
  { what: "Audit log", routes: [["get", "/v1/admin/audit"]], meanwhile: "Each process writes what it does to its log." },
];

/** Absent says plainly what this build does not have, by the node's own description of its routes. */
export function Absent() {
  const { answer, again } = useAsk((signal) => ask(base.value, "/openapi.json", described, signal), [base.value]);
  return (
    <>
      <h2>Not in this build</h2>
      {answer.state === "asking" && <p class="muted">asking {viewed.value} …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Not in this build">
          <table class="settings-wide">
            <thead>
              <tr>
                <th scope="col">what</th>
                <th scope="col">route</th>
                <th scope="col">{viewed.value} says of it</th>
                <th scope="col">meanwhile</th>
              </tr>
            </thead>
            <tbody>
              {promised.map((p) => (
                <tr>
                  <th scope="row">{p.what}</th>
                  <td>
                    {p.routes.map(([method, path]) => (
                      <code class="settings-route">
                        {method.toUpperCase()} {path}
                      </code>
                    ))}
                  </td>
                  <td>{p.routes.every(([method, path]) => answer.value.paths.get(path)?.get(method)?.summary === "Not in this build") ? "501 not_built: nothing is done" : "the API has it; this page does not yet"}</td>
                  <td>{p.meanwhile}</td>
                </tr>
              ))}
              <tr>
                <th scope="row">Certificates with expiry</th>
                <td>
                  <span class="muted">none</span>
                </td>
                <td>no route tells of them</td>
                <td>They do not expire: each process makes its own at its start, from the cluster’s secret.</td>
              </tr>
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
