import { useState } from "preact/hooks";
import { present, wanted } from "../api/credential.ts";
import { connect } from "../live/members.ts";

/** Login asks for a token once a node has asked for one, or has refused the one it was given. */
export function Login() {
  const [token, type] = useState("");
  if (!wanted.value) return null;
  return (
    <form
      class="trouble"
      onSubmit={(e) => {
        e.preventDefault();
        present(token.trim());
        void connect();
      }}
    >
      <strong>Who are you?</strong>
      <p>{wanted.value}</p>
      <label>
        Token <input type="password" autocomplete="off" required value={token} onInput={(e) => type(e.currentTarget.value)} />
      </label>
      <button type="submit">Go on</button>
      <p class="remedy">An administrator of the cluster makes tokens. The page keeps it until the tab is closed, and sends it to nobody but the nodes of the cluster.</p>
    </form>
  );
}
