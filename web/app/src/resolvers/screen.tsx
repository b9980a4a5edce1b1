import { route } from "../frame/route.ts";
import { Existing, New } from "./editor.tsx";
import { Resolvers } from "./list.tsx";
import "./resolvers.css";

/** The screen of resolvers: the list, and one with its editor. */
export default function Screen() {
  const { path, query } = route.value;
  const [name] = path;
  const template = query.get("new");
  if (name) return <Existing key={name} name={name} />;
  if (template !== null) return <New key={template} template={template} />;
  return <Resolvers />;
}
