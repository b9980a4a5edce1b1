import { Refused, send, type Call, type Reply } from "../api/call.ts";
import { flag, list, number, or, shape, text, type Of } from "../api/decode.ts";
import { curl } from "../api/twin.ts";

// What went over the wire, kept as text: the tour shows it as it came, and a
// reload of the page has it still.

/** exchange is one request of the tour and its answer. */
export const exchange = shape({
  stage: text,
  what: text, // in a few words
  curl: text,
  status: number, // 0: no answer came
  code: or(text, ""), // of a problem
  headers: list(text), // those that matter here, "Name: value"
  body: text,
  clipped: flag, // the body was longer
});
export type Exchange = Of<typeof exchange>;

/** shownHeaders are those that say something of the story. */
const shownHeaders = ["Node", "Write-State", "ETag", "Conflict-Count", "Retry-After"];
/** maxBody is how many characters of an answer are kept; maxCurl of a request. */
const maxBody = 2_000;
const maxCurl = 1_200;

/** exchangeOf is a request with its answer, to be shown. */
export function exchangeOf(stage: string, what: string, call: Call, reply: Reply | null, code = ""): Exchange {
  const line = curl(call);
  const body = reply?.text ?? "";
  return {
    stage,
    what,
    curl: line.length > maxCurl ? `${line.slice(0, maxCurl)} …` : line,
    status: reply?.status ?? 0,
    code,
    headers: shownHeaders.flatMap((name) => {
      const value = reply?.headers.get(name);
      return value ? [`${name}: ${value}`] : [];
    }),
    body: body.slice(0, maxBody),
    clipped: body.length > maxBody,
  };
}

/** Said is an answer: a yes with its text, or a refusal. */
export type Said = { ok: true; reply: Reply } | { ok: false; refused: Refused };

/** sent sends a request and notes it. A refusal is an answer too; that none came is an error. */
export async function sent(call: Call, note: (reply: Reply | null, code?: string) => void): Promise<Said> {
  try {
    const reply = await send(call);
    note(reply);
    return { ok: true, reply };
  } catch (error) {
    if (!(error instanceof Refused)) {
      note(null);
      throw error;
    }
    note(error.reply, error.problem.code);
    return { ok: false, refused: error };
  }
}
