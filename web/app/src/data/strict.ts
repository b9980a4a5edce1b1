// A document is edited as the text that is stored, so that no byte changes that
// nobody has touched. JSON.parse is too lenient for that and says no column: the
// server refuses what parsers read in different ways, and so does this check
// before anything is sent. Places are offsets in the text.

import { unseenIn } from "../api/exact.ts";

/** NotStrict says where a text is not strict JSON, and what is wrong there. */
export class NotStrict extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
    this.name = "NotStrict";
  }
}

/** Span is a part of a text: the first place, and the first behind it. */
export type Span = readonly [start: number, end: number];

/** maxDepth is how many levels of objects and arrays the server takes; the document's own object is the first. */
const maxDepth = 64;

const quote = 0x22;
const backslash = 0x5c;
const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Scanner walks a text. Each method begins at this.at and leaves it behind its part. */
class Scanner {
  at = 0;
  private depth = 0;

  constructor(
    readonly text: string,
    private readonly levels = maxDepth,
  ) {}

  fail(want: string): never {
    const found = this.text[this.at];
    throw new NotStrict(this.at, `expected ${want}, found ${found === undefined ? "the end" : `'${found}'`}`);
  }

  /** match moves behind what a sticky expression matches, and returns it; "" when nothing does. */
  private match(expression: RegExp): string {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  space(): void {
    for (let code = this.text.charCodeAt(this.at); code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d; ) {
      code = this.text.charCodeAt(++this.at);
    }
  }

  take(one: string, want: string): void {
    if (this.text[this.at] !== one) this.fail(want);
    this.at++;
  }

  value(): void {
    const first = this.text[this.at];
    if (first === "{") this.object(new Set());
    else if (first === "[") this.array();
    else if (first === '"') this.string();
    else this.scalar();
  }

  private descend(): void {
    if (this.depth === this.levels) throw new NotStrict(this.at, `more than ${this.levels} levels of objects and arrays`);
    this.depth++;
  }

  private scalar(): void {
    const start = this.at;
    const found = this.match(word);
    if (!found) this.fail("a value");
    if (/[\w.+-]/.test(this.text[this.at] ?? "")) this.fail("the end of a value");
    if (/^[-\d]/.test(found) && !Number.isFinite(Number(found))) throw new NotStrict(start, `${found} is beyond what a double holds`);
  }

  /** string walks a string and returns whether it has escapes. */
  string(): boolean {
    let escaped = false;
    for (this.at++; ; ) {
      const code = this.text.charCodeAt(this.at);
      if (Number.isNaN(code)) this.fail("the end of the string");
      if (code === quote) break;
      if (code < 0x20) throw new NotStrict(this.at, "a control character in a string: write it as an escape, such as \\n");
      if (code === backslash) {
        escaped = true;
        this.escape();
      } else if (code >= 0xd800 && code <= 0xdfff) {
        const whole = this.text.codePointAt(this.at) ?? 0;
        if (whole <= 0xffff) throw new NotStrict(this.at, "half of a character");
        this.at += 2;
      } else {
        this.at++;
      }
    }
    this.at++;
    return escaped;
  }

  private escape(): void {
    const start = this.at;
    const unit = this.unit();
    if (unit === null || unit < 0xd800 || unit > 0xdfff) return;
    const second = unit < 0xdc00 && this.text[this.at] === "\\" ? this.unit() : null;
    if (second === null || second < 0xdc00 || second > 0xdfff) throw new NotStrict(start, "half of a character: a surrogate stands alone");
  }

  /** unit walks one escape, and returns the number of one that begins with \u. */
  private unit(): number | null {
    const found = this.match(escape);
    if (!found) throw new NotStrict(this.at, "a backslash that begins no escape");
    return found[1] === "u" ? parseInt(found.slice(2), 16) : null;
  }

  /** object walks an object, adds its keys to those that there are, and tells where the value of each is. */
  object(keys: { has(key: string): boolean; add(key: string): unknown }, tell?: (key: string, span: Span) => void): void {
    this.descend();
    this.take("{", "'{'");
    this.space();
    for (let more = this.text[this.at] !== "}"; more; ) {
      const start = this.at;
      if (this.text[start] !== '"') this.fail("a key in double quotes");
      const escaped = this.string();
      const raw = this.text.slice(start, this.at);
      const key = escaped ? String(JSON.parse(raw)) : raw.slice(1, -1);
      if (keys.has(key)) throw new NotStrict(start, `the key ${raw} is there twice`);
      keys.add(key);
      this.space();
      this.take(":", "':' after a key");
      this.space();
      const begin = this.at;
      this.value();
      tell?.(key, [begin, this.at]);
      more = this.comma();
    }
    this.take("}", "',' or '}' after a member");
    this.depth--;
  }

  private array(): void {
    for (const _ of this.elements()) continue;
  }

  /** elements walks an array and yields where each element is. */
  *elements(): Generator<Span> {
    this.descend();
    this.take("[", "'['");
    this.space();
    for (let more = this.text[this.at] !== "]"; more; ) {
      const start = this.at;
      this.value();
      yield [start, this.at];
      more = this.comma();
    }
    this.take("]", "',' or ']' after an element");
    this.depth--;
  }

  /** comma walks what is between two members or elements, and says whether another follows. */
  private comma(): boolean {
    this.space();
    if (this.text[this.at] !== ",") return false;
    this.at++;
    this.space();
    return true;
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail("the end of the text");
  }
}

/** members returns where each member of the object that a text is has its value, or throws NotStrict. */
export function members(text: string, levels = maxDepth): Map<string, Span> {
  const s = new Scanner(text, levels);
  const spans = new Map<string, Span>();
  s.space();
  if (s.text[s.at] !== "{") s.fail("an object: '{'");
  s.object(new Set(), (key, span) => spans.set(key, span));
  s.end();
  return spans;
}

/** elements yields where each element of the array that a text is stands, and throws NotStrict where it ends. */
export function* elements(text: string, levels = maxDepth): Generator<Span> {
  const s = new Scanner(text, levels);
  s.space();
  yield* s.elements();
  s.end();
}

/** check returns what is wrong with a document, or null. */
export function check(text: string): NotStrict | null {
  try {
    members(text);
    return null;
  } catch (error) {
    if (error instanceof NotStrict) return error;
    throw error;
  }
}

/** place is an offset as line:column, both from 1. */
export function place(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return `${line}:${at - before.lastIndexOf("\n")}`;
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** layOut sets a sound document in lines. Only the space between its tokens changes. */
export function layOut(text: string): string {
  let out = "";
  let depth = 0;
  let opened = false; // what was written last has opened an object or array
  const newLine = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(tokens)) {
    if (token === "}" || token === "]") {
      depth--;
      out += opened ? token : newLine() + token;
      opened = false;
      continue;
    }
    if (opened) out += newLine();
    opened = token === "{" || token === "[";
    if (opened) depth++;
    if (token === ",") out += token + newLine();
    else out += token === ":" ? ": " : token;
  }
  return out;
}

/** mostUnseen is how many characters that nobody sees are named. */
const mostUnseen = 5;

/** invisible names characters that nobody sees, or that turn the order of what is seen. */
export function invisible(text: string): string[] {
  const at = unseenIn(text);
  const named = at.slice(0, mostUnseen).map((i) => `U+${text.charCodeAt(i).toString(16).toUpperCase().padStart(4, "0")} at ${place(text, i)}`);
  return at.length > mostUnseen ? [...named, "…"] : named;
}
