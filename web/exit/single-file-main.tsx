/** Entry of the single-file page: no server, no module, no further file. */
import "../no-eval.ts";
import "../design/theme.css";
import "../design/base.css";
import "../design/parts.css";
import { render } from "preact";
import { discoverWallets } from "../ledger/wallets.ts";
import { SingleFilePage } from "./single-file-page.tsx";

discoverWallets();
render(<SingleFilePage />, document.getElementById("page")!);
