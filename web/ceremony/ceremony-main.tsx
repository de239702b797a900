/** The coordinator's page: one ceremony, nothing of a rollup. */
import "../no-eval.ts";
import "../design/theme.css";
import "../design/base.css";
import "../design/parts.css";
import "./ceremony.css";
import { render } from "preact";
import { CeremonyPage } from "./ceremony-page.tsx";

render(<CeremonyPage />, document.getElementById("page")!);
