import { healLink } from "../frame/heal.tsx";
import { Act } from "../parts/act.tsx";
import { Left } from "../parts/time.tsx";
import { between, held, kindWords } from "./links.ts";

/** Faults are all that are on, with the time that each has left. */
export function Faults() {
  const all = held();
  if (all.length === 0) return <p class="muted">No fault is on.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Faults that are on">
      <table>
        <caption class="hidden">Faults that are on</caption>
        <thead>
          <tr>
            <th scope="col">link</th>
            <th scope="col">fault</th>
            <th scope="col">on</th>
            <th scope="col">ends by itself</th>
            <th scope="col">
              <span class="hidden">heal</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map((h) => (
            <tr key={h.at.map(({ member, id }) => `${member.name} ${id}`).join(" ")}>
              <th scope="row">{between(h.fault)}</th>
              <td>{kindWords(h.fault)}</td>
              <td>{h.at.map(({ member }) => member.name).join(", ")}</td>
              <td>
                <Left until={h.fault.expires} />
              </td>
              <td>
                <Act action={{ label: `Heal ${between(h.fault)}`, ...healLink(h.fault.from, h.fault.to, h.fault.both), scope: "chaos" }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
