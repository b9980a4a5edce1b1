// Differences of numbers as documents have them, exactly: a browser's number
// makes 0.30000000000000004 of 0.1 + 0.2, and 12345678901234567890 of nothing.

/** longest is how many characters a number may have, and how far its exponent may go, to be computed with. */
const longest = 400;

/** Decimal is digits × 10^-scale. */
interface Decimal {
  digits: bigint;
  scale: number;
}

function decimal(text: string): Decimal | null {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!parts || text.length > longest) return null;
  const [, sign = "", whole = "", part = "", power = "0"] = parts;
  const exponent = Number(power);
  if (Math.abs(exponent) > longest) return null;
  const digits = BigInt(sign + whole + part);
  const scale = part.length - exponent;
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

/** minus is a less b, in plain digits; null where one is no number, or too long to be computed with. */
export function minus(a: string, b: string): string | null {
  const x = decimal(a);
  const y = decimal(b);
  if (!x || !y) return null;
  const scale = Math.max(x.scale, y.scale);
  return plain(x.digits * 10n ** BigInt(scale - x.scale) - y.digits * 10n ** BigInt(scale - y.scale), scale);
}

function plain(digits: bigint, scale: number): string {
  const sign = digits < 0n ? "-" : "";
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, "0");
  const part = text.slice(text.length - scale).replace(/0+$/, "");
  return sign + text.slice(0, text.length - scale) + (scale > 0 && part ? `.${part}` : "");
}

/** signed puts a sign before a difference, as people write it. */
export const signed = (delta: string): string => (delta.startsWith("-") ? `−${delta.slice(1)}` : delta === "0" ? "±0" : `+${delta}`);
