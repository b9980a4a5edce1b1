import { isObject, toNumber } from "../api/exact.ts";
import { Json } from "../parts/text.tsx";
import { clockTime } from "../parts/time.tsx";
import type { Conflict } from "./shapes.ts";

/** balanceOf is the balance of a document, or null. */
export const balanceOf = (doc: unknown): number | null => (isObject(doc) ? toNumber(doc["balance"]) : null);

const signed = (n: number): string => (n < 0 ? `−${-n}` : `+${n}`);

/** Three are base and sides next to each other. */
export function Three({ conflict }: { conflict: Conflict }) {
  const base = balanceOf(conflict.base);
  const shown = conflict.shown ?? conflict.result;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Base and sides">
      <table class="tour-three">
        <caption class="hidden">The account as both had it, and what each side made of it</caption>
        <thead>
          <tr>
            <th scope="col">path</th>
            <th scope="col" class="number">
              base
            </th>
            {conflict.siblings.map((s) => (
              <th scope="col" class="number">
                {s.node} <span class="muted">{clockTime(s.time, 1)}</span>
              </th>
            ))}
            <th scope="col" class="number">
              shown, the newest
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">/balance</th>
            <td class="number">
              <Json value={base ?? undefined} />
            </td>
            {conflict.siblings.map((s) => {
              const value = balanceOf(s.doc);
              return (
                <td class="number">
                  <Json value={value ?? undefined} /> {base !== null && value !== null && <span class="muted">({signed(value - base)})</span>}
                </td>
              );
            })}
            <td class="number">
              <strong>
                <Json value={balanceOf(shown?.doc) ?? undefined} />
              </strong>
            </td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** lostBy says what of which side is lost while a value stands. */
export function lostBy(conflict: Conflict, stands: number | null): string {
  const base = balanceOf(conflict.base);
  const lost = conflict.siblings.flatMap((s) => {
    const value = balanceOf(s.doc);
    return base === null || value === null || value === stands ? [] : [`${s.node}'s ${signed(value - base)}`];
  });
  return lost.join(" and ");
}
