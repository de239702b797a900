/** Card on a batch's page with which the visitor checks the batch against Ethereum, in the browser (check-batch.ts). */
import { getBatch } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import type { PageProps } from "../../ledger/page.ts";
import { CheckCard } from "./check-card.tsx";
import { BATCH_CHECK_TITLES } from "./check-steps.ts";

/** Check of a batch on its page: against Ethereum's data, with the keys that came with the page. */
export function BatchCheck({ site, live, batch }: PageProps & { batch: LedgerBatch }) {
  return (
    <CheckCard
      site={site}
      live={live}
      what="batch"
      about="Your browser reads the batch from Ethereum, recomputes the inputs of the proof, and verifies it with the key in this page. It does not rely on this server."
      titles={BATCH_CHECK_TITLES}
      isPosted={batch.l1TransactionHash != null && ["posted", "final"].includes(batch.status)}
      check={async ({ client, info }, tell) => {
        const [{ checkBatch }, { PageBlobs }, { default: keys }, before] = await Promise.all([
          import("./check-batch.ts"),
          import("../../blobs/page-blobs.ts"),
          import("virtual:verifying-keys"),
          batch.number === 1 ? null : getBatch(site.sequencer, batch.number - 1),
        ]);
        const { rollupAddress } = info;
        const transactionBefore = before?.l1TransactionHash ?? null;
        const blobs = new PageBlobs({
          archives: [window.location.origin],
          startWorker: async () => new Worker("./exit/blob-worker.js"),
          remedy:
            "open this batch at another server of the ledger: every full node keeps blobs, and Ethereum for 18 days",
        });
        await checkBatch({ client, rollupAddress, batch, keys, transactionBefore, blobs }, tell);
      }}
    />
  );
}
