import { useState } from "preact/hooks";

/** Copy shows a text and copies it. */
export function Copy({ label, text }: { label: string; text: string }) {
  const [said, say] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("copied");
    } catch {
      say("select it and copy it by hand"); // a page without TLS has no clipboard
    }
  };
  return (
    <span class="copy">
      <code>{text}</code>
      <button type="button" onClick={copy}>
        {label}
      </button>
      <span role="status">{said}</span>
    </span>
  );
}
