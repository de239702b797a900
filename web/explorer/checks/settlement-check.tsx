/**
 * Card on a settlement's page with which the visitor checks the settlement against Ethereum, in the browser
 * (check-settlement.ts).
 */
import { accruedBefore } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import type { PageProps } from "../../ledger/page.ts";
import { CheckCard } from "./check-card.tsx";
import { SETTLEMENT_CHECK_TITLES } from "./check-steps.ts";

/** Check of a settlement on its page: against Ethereum's data, with the keys that came with the page. */
export function SettlementCheck({
  site,
  live,
  model,
  settlement,
}: Pick<PageProps, "site" | "live"> & { model: LedgerModelLeaf; settlement: LedgerSettlement }) {
  return (
    <CheckCard
      site={site}
      live={live}
      what="settlement"
      about="Your browser reads the settlement from Ethereum, recomputes its draws and the inputs of the proof, and verifies it with the key in this page. It does not rely on this server."
      titles={SETTLEMENT_CHECK_TITLES}
      isPosted={settlement.l1TransactionHash !== null}
      check={async ({ client, info }, tell) => {
        const [{ checkSettlement }, { default: keys }] = await Promise.all([
          import("./check-settlement.ts"),
          import("virtual:verifying-keys"),
        ]);
        const shown = {
          model,
          settlement,
          accruedBeforeWei: await accruedBefore(site.sequencer, model, settlement.epoch),
        };
        await checkSettlement({ client, rollupAddress: info.rollupAddress, keys, ...shown }, tell);
      }}
    />
  );
}
