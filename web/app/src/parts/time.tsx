import { now } from "../live/clock.ts";

/** millis reads a time of the API: RFC 3339, whose last digits may be a counter that browsers do not read. */
export const millis = (at: string | number): number => (typeof at === "number" ? at : Date.parse(at));

/** span is a length of time in words, as short as it is still exact enough. */
export function span(ms: number): string {
  const s = ms / 1000;
  if (s < 0.0995) return `${Math.max(0, Math.round(ms))} ms`;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

const timeOfDay: Intl.DateTimeFormatOptions = { hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit" };

/** clocks are made once: to make one takes longer than a row of a list may. */
const clocks = {
  0: new Intl.DateTimeFormat(undefined, timeOfDay),
  1: new Intl.DateTimeFormat(undefined, { ...timeOfDay, fractionalSecondDigits: 1 }),
  3: new Intl.DateTimeFormat(undefined, { ...timeOfDay, fractionalSecondDigits: 3 }),
};

/** clockTime is the time of day, to the second or to a part of it. */
export const clockTime = (at: string | number, digits: 0 | 1 | 3 = 0): string => clocks[digits].format(millis(at));

/** Ago is how long ago something was, with the exact time on hover. */
export function Ago({ at, plain }: { at: string | number; plain?: boolean }) {
  const ms = now.value - millis(at);
  return (
    <time dateTime={new Date(millis(at)).toISOString()} title={String(at)}>
      {ms < 1000 ? "just now" : `${span(ms)}${plain ? "" : " ago"}`}
    </time>
  );
}

/** Left is how long something still lasts. */
export function Left({ until }: { until: string | number }) {
  const s = Math.max(0, Math.ceil((millis(until) - now.value) / 1000));
  return (
    <time class="left" dateTime={new Date(millis(until)).toISOString()} title={String(until)}>
      {Math.floor(s / 60)}:{String(s % 60).padStart(2, "0")} left
    </time>
  );
}
