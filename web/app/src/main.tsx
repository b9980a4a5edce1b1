import { render } from "preact";
import { Page } from "./frame/page.tsx";
import "./frame/release.ts";
import { connect } from "./live/members.ts";
import "./style/base.css";
import "./style/frame.css";
import "./style/parts.css";

void connect();
const page = document.getElementById("page");
if (page) render(<Page />, page);
