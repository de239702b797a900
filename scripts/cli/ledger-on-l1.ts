/** Rebuilds the ledger from L1, for commands that work without a sequencer, or that trust nobody. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { clientError } from "@openledger/client/client-errors";
import { type RestoredLedger, restoreLedger } from "@openledger/verifier/restore/restore-ledger";
import { refuseWaiting, waitingLeaves } from "@openledger/verifier/without-operator/forced-check";
import type { Address } from "viem";
import { openRollup } from "./blob-providers.ts";
import type { GlobalOptions } from "./context.ts";
import type { Output } from "./output.ts";

/** Interval between two lines of progress. */
const PROGRESS_INTERVAL_MS = 2_000;

/** Rebuilds the ledger at the first call; later calls return the same. */
export type LedgerOnL1 = () => Promise<RestoredLedger>;

/** Rebuilds the ledger from L1 on demand. The returned function throws BRG_*. */
export function ledgerOnL1(options: GlobalOptions, output: Output): LedgerOnL1 {
  let restored: Promise<RestoredLedger> | null = null;
  return () => {
    restored ??= rebuild(options, output);
    return restored;
  };
}

async function rebuild(options: GlobalOptions, output: Output): Promise<RestoredLedger> {
  await initPoseidon();
  output.progress("rebuilding the ledger from L1");
  let toldAtMs = Date.now();
  return restoreLedger(await openRollup(options), {
    onEvent: (event) => {
      if (event.type !== "batch" || Date.now() - toldAtMs < PROGRESS_INTERVAL_MS) return;
      toldAtMs = Date.now();
      output.progress(`rebuilding the ledger from L1: batch ${event.batch.batchNumber}`);
    },
  });
}

/** The one account of this owner. @throws CLI_FORCED_NO_EFFECT where its deposit waits; CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID */
export function onlyAccountOf(restored: RestoredLedger, owner: Address): number {
  const { leaves } = restored.ledger;
  const ids = [...leaves.of({ l1Owner: BigInt(owner) })].flatMap(([id, { leaf }]) =>
    leaf.kind === LEAF_KIND.account ? [id] : [],
  );
  const [only, ...others] = ids;
  const data = { owner, ids };
  if (only === undefined) {
    const waiting = waitingLeaves(restored).find(({ entry }) => entry.word1 === BigInt(owner));
    if (waiting !== undefined) refuseWaiting(waiting.leafId, waiting.entry);
    throw clientError("CLI_LEAF_NOT_FOUND", `${owner} has no account in the ledger`, { data });
  }
  if (others.length === 0) return only;
  throw clientError("CLI_INPUT_INVALID", `${owner} has the accounts ${ids.join(", ")}`, {
    data: { reason: "leaf-ambiguous", ...data },
  });
}
