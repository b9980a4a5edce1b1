import { route } from "../frame/route.ts";
import { Absent } from "./absent.tsx";
import { Collection } from "./collection.tsx";
import { Policies } from "./policies.tsx";
import { Members } from "./processes.tsx";
import "./settings.css";

/** The screen of settings: who belongs to the cluster, its timing, its collections, and what is not there yet. */
export default function Screen() {
  const [name] = route.value.path;
  if (name) return <Collection key={name} name={name} />;
  return (
    <>
      <h1>Settings</h1>
      <p class="muted">What this cluster is made of and by which rules it works. Members come from the roster; collections can be configured here.</p>
      <Members />
      <Policies />
      <Absent />
    </>
  );
}
