/**
 * Entry of the exit page that a person keeps as one file: finds wallets and renders the page, without a server or further
 * files.
 */
import "../no-eval.ts";
import "../design/theme.css";
import "../design/base.css";
import "../design/parts.css";
import { render } from "preact";
import { discoverWallets } from "../ledger/wallets.ts";
import { SingleFilePage } from "./single-file-page.tsx";

discoverWallets();
render(<SingleFilePage />, document.getElementById("page")!);
