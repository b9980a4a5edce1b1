// A page that does not hear all that a node tells.

/**
 * Takes events out of the streams of events: of one process, or of all where host is "". Runs in the page, before it:
 * `context.addInitScript(deaf, { host: "", events: ["link"] })`.
 * @param {{ host: string, events: string[] }} to
 */
export function deaf({ host, events }) {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const answer = await real(input, init);
    const url = new URL(String(input), location.href);
    if (!url.pathname.endsWith("/v1/events") || (host && url.host !== host) || !answer.body) return answer;
    let rest = "";
    const filter = new TransformStream({
      transform(/** @type {string} */ text, out) {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) if (!events.includes(/^event: (.*)$/m.exec(block)?.[1] ?? "")) out.enqueue(`${block}\n\n`);
      },
    });
    const body = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(filter).pipeThrough(new TextEncoderStream());
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
}
