import { route } from "../frame/route.ts";
import "./conflicts.css";
import { Detail } from "./detail.tsx";
import { List } from "./list.tsx";

/** Screen is the inbox, or with an id in the address one conflict. */
export default function Screen() {
  const [id] = route.value.path;
  return id ? <Detail key={id} id={id} /> : <List />;
}
