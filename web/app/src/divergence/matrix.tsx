import { count, Id } from "../parts/text.tsx";
import { now } from "../live/clock.ts";
import { Ago, millis, span } from "../parts/time.tsx";
import { actorsOf, type Cell, nodeOf, type Row } from "./lag.ts";

/** Shades of how old the oldest write is that is missing, in seconds. */
const shades = [1, 10, 60];

/** Matrix shows what every node lacks of every actor. choose opens the documents of a row. */
export function Matrix({ rows, chosen, choose }: { rows: Row[]; chosen: string; choose: (node: string) => void }) {
  const actors = actorsOf(rows);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="What each node lacks">
      <table class="divergence-matrix">
        <thead>
          <tr>
            <th scope="col">node</th>
            {actors.map((actor) => (
              <th scope="col">
                writes of {nodeOf(actor)}
                <br />
                <Id value={actor} most={16} />
              </th>
            ))}
            <th scope="col">documents</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              <th scope="row">
                {row.node}
                <Source row={row} />
              </th>
              {actors.map((actor) => (
                <CellOf row={row} actor={actor} cell={row.cells.get(actor)} />
              ))}
              <td>
                <button type="button" aria-expanded={chosen === row.node} onClick={() => choose(chosen === row.node ? "" : row.node)}>
                  what differs at {row.node}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Source says who tells of a row, where that is not the node itself. */
function Source({ row }: { row: Row }) {
  if (!row.silent) return null;
  return <p class="muted">{row.by ? `hearsay: ${row.by} says so, ${row.node} does not answer` : `unknown: ${row.silent}`}</p>;
}

function CellOf({ row, actor, cell }: { row: Row; actor: string; cell: Cell | undefined }) {
  if (nodeOf(actor) === row.node && cell?.versions === 0) return <td class="muted">its own</td>;
  if (!cell || cell.versions === null) {
    return (
      <td class="divergence-unknown">
        <span title="unknown">?</span>
        {cell?.since && (
          <span class="muted">
            {" "}
            unknown since <Ago at={cell.since} plain />
          </span>
        )}
      </td>
    );
  }
  const apart = cell.since && (
    <p class="muted">
      {row.node} has not heard {nodeOf(actor)} for <Ago at={cell.since} plain />
    </p>
  );
  if (cell.versions === 0) return <td>has all{apart}</td>;
  const seconds = cell.seconds ?? (cell.since ? (now.value - millis(cell.since)) / 1000 : 0);
  return (
    <td class={`divergence-behind shade-${shades.filter((s) => seconds >= s).length}`}>
      lacks {count(cell.versions, "write")}
      {cell.seconds !== null && ` / ${span(cell.seconds * 1000)}`}
      {apart}
    </td>
  );
}
