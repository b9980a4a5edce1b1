import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { watchFigures } from "../live/figures.ts";
import { members } from "../live/members.ts";
import { useThrottled } from "../parts/throttled.ts";
import { Cards } from "./cards.tsx";
import { History } from "./history.tsx";
import { linksOf } from "./links.ts";
import { Panel } from "./panel.tsx";
import { Topology } from "./topology.tsx";
import { Verdict } from "./verdict.tsx";
import { VoteLog } from "./votelog.tsx";
import "./cluster.css";

/** drawEvery is how often the picture is drawn anew at most, in milliseconds: nine nodes tell something 40 times a second. */
const drawEvery = 200;

/** The screen that says who may write, who reaches whom, and what is wrong. */
export default function Screen() {
  const chosen = useSignal("");
  useEffect(watchFigures, []);
  const links = useThrottled(() => linksOf(members.value), drawEvery).value;
  const open = links.find((l) => l.key === chosen.value);
  const close = () => {
    chosen.value = "";
  };
  return (
    <>
      <h1>Cluster</h1>
      <p class="muted">A node takes writes while it holds a majority of votes. Click a link to cut it, slow it or heal it.</p>
      <Verdict />
      <h2>Who reaches whom</h2>
      <Topology members={members.value} links={links} chosen={chosen.value} choose={(key) => (chosen.value = key === chosen.value ? "" : key)} />
      {open && <Panel link={open} close={close} />}
      <h2>Each process, by its own word</h2>
      <Cards />
      <h2>The last 15 minutes</h2>
      <History />
      <VoteLog />
    </>
  );
}
