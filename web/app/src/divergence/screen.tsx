import { useEffect, useState } from "preact/hooks";
import { useMoments } from "../live/moments.ts";
import { dataNodes } from "../live/members.ts";
import { useAsk } from "../parts/ask.ts";
import { Failed } from "../parts/trouble.tsx";
import { Digests } from "./digests.tsx";
import "./divergence.css";
import { Documents } from "./documents.tsx";
import { rowsOf } from "./lag.ts";
import { Matrix } from "./matrix.tsx";

/** renewEvery is the shortest time between two readings of the matrix, in milliseconds. */
const renewEvery = 500;
/** What alters the matrix. */
const kinds = ["lag", "state", "write", "link"];

/** Who lacks what, which documents differ because of it, and whether all are the same. */
export default function Screen() {
  const nodes = dataNodes.value;
  const moment = useMoments(kinds, renewEvery);
  const { answer, again } = useAsk((signal) => rowsOf(nodes, signal), [nodes]);
  useEffect(() => {
    if (moment > 0) again();
  }, [moment]);
  const [chosen, choose] = useState("");
  const here = nodes.find((m) => m.name === chosen);
  return (
    <>
      <h1>Divergence</h1>
      <p class="muted">What each node lacks of the writes of each, by its own word: how many, and how old the oldest is that is missing. After a cut it counts down to nothing.</p>
      {answer.state === "asking" && <p class="muted">asking every node …</p>}
      {answer.state === "failed" && <Failed error={answer.error} at={answer.at} retry={again} />}
      {answer.state === "here" && <Matrix rows={answer.value} chosen={chosen} choose={choose} />}
      {here && <Documents key={here.name} here={here} others={nodes.filter((m) => m !== here)} />}
      <Digests />
    </>
  );
}
