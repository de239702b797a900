/** Entry of the pages: loads the site's addresses, starts the live state, and renders the frame (app.tsx). */
import "./no-eval.ts";
import "./design/theme.css";
import "./design/base.css";
import "./design/parts.css";
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { installBackOff } from "./ledger/back-off.ts";
import { Live } from "./ledger/live.ts";
import { loadSite, SEQUENCER, type Site } from "./ledger/site.ts";
import { discoverWallets } from "./ledger/wallets.ts";
import { ProblemNotice, problemOf } from "./words/problem.tsx";

const root = document.getElementById("page")!;

/** Milliseconds between attempts to load the site's addresses. */
const RETRY_MS = 2_000;

/** The site's addresses. A server that does not answer is named, and asked again: the page goes on by itself. */
async function siteOnceThere(): Promise<Site> {
  for (;;)
    try {
      return await loadSite();
    } catch (error) {
      if (!isRollupError(error) || !error.isRetryable) throw error;
      render(<ProblemNotice problem={problemOf(error)} />, root);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
}

installBackOff();
try {
  // The ledger's state needs no settings: both are asked for at once.
  const live = new Live(SEQUENCER);
  live.start();
  const site = await siteOnceThere();
  discoverWallets();
  // Code for the devnet alone is fetched only if the ledger says it is one; the node then has to agree.
  effect(() => {
    if (live.info.value?.chainId !== DEVNET_CHAIN_ID || site.l1Url === null) return;
    const { l1Url } = site;
    return live.untilDone(async () => {
      const { offerTestWallets } = await import("./ledger/test-wallet.ts");
      await offerTestWallets(l1Url);
    });
  });
  render(<App site={site} live={live} />, root);
} catch (error) {
  render(<ProblemNotice problem={problemOf(error)} />, root);
}
