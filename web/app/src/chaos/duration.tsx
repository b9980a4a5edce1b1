import { signal } from "@preact/signals";

/** Every fault has an end (rule 5): how long the next one lasts, as the API and the command line write it. */
export const lasts = signal("30s");

const choices = ["10s", "30s", "1m", "5m", "15m"];

/** Duration chooses how long the next fault lasts. */
export function Duration() {
  return (
    <label>
      for{" "}
      <select value={lasts.value} onChange={(e) => (lasts.value = e.currentTarget.value)}>
        {choices.map((c) => (
          <option value={c}>{c}</option>
        ))}
      </select>
    </label>
  );
}
