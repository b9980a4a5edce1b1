import { route } from "../frame/route.ts";
import { Collections } from "./collections.tsx";
import { Document } from "./document.tsx";
import { Documents } from "./documents.tsx";
import { Import } from "./import.tsx";
import "./data.css";

/** The screen of data: collections, the documents of one, one document. */
export default function Screen() {
  const { path, query } = route.value;
  const [collection, id] = path;
  if (!collection) return <Collections />;
  if (id !== undefined) return <Document key={`${collection}/${id}`} collection={collection} id={id} />;
  if (query.has("import")) return <Import key={collection} collection={collection} />;
  return <Documents key={collection} collection={collection} />;
}
