/** A forced withdrawal for which nobody but an Ethereum node is asked: no sequencer is needed, and none can prevent it. */
import type { Address } from "viem";
import { createPatientL1Client } from "../../bridge/l1-client.ts";
import { restoreLedger } from "../../bridge/restore-ledger.ts";
import { RollupContract } from "../../bridge/rollup-contract.ts";
import { initPoseidon } from "../../circuits/poseidon.ts";
import { clientError } from "../../client/client-errors.ts";
import { forceWithdraw } from "../../client/force-withdraw.ts";
import { formatOpen } from "../../client/open-amount.ts";
import { planExits } from "../exit/exit-plan.ts";
import { type GlobalOptions, resolveEndpoints, type Signer } from "./context.ts";
import type { Output } from "./output.ts";
import { parseId } from "./parse-id.ts";

export interface ForcedWithdrawal {
  /** A leaf's id; where absent, the account's leaf is looked for in the ledger rebuilt from L1. */
  readonly from: string | undefined;
  readonly amountWei: bigint | "all";
  readonly recipient: Address;
}

/** @throws CMD_USAGE, CLI_LEAF_NOT_FOUND, CLI_LEAF_AMBIGUOUS, CLI_L1_REVERTED, BRG_* */
export async function forceWithdrawFromL1(
  { client, account }: Signer,
  { amountWei, from, recipient }: ForcedWithdrawal,
  options: GlobalOptions,
  output: Output,
): Promise<void> {
  const leafId = from === undefined ? await findAccount(account.l1.address, options, output) : parseId(from);
  output.progress("sending the withdrawal to L1's queue");
  const sent = await forceWithdraw(client, { id: leafId, amountWei, recipient });
  const { burnedFeeWei, gasUsed, queueIndex, transactionHash } = sent;
  const amount = amountWei === "all" ? "everything" : `${formatOpen(amountWei)} OPEN`;
  const lines = [
    `${amount} from leaf ${leafId} for ${recipient}: waits as queue entry ${queueIndex}`,
    `L1 transaction ${transactionHash}, ${gasUsed} gas, ${formatOpen(burnedFeeWei)} OPEN burned`,
    "after 24 hours anyone may carry the queue on (openledger submit-queue), after 14 days anyone may freeze (openledger freeze)",
  ];
  const facts = { queueIndex, transactionHash, gasUsed, burnedFeeWei, stage: "queued", batchNumber: null };
  output.answer(lines, { leafId, amountWei, recipient, ...facts });
}

async function findAccount(owner: Address, options: GlobalOptions, output: Output): Promise<number> {
  await initPoseidon();
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  output.progress("rebuilding the ledger from L1");
  const rollup = new RollupContract({ client: createPatientL1Client({ rpcUrl }), address: rollupAddress });
  const { replay } = await restoreLedger(rollup);
  const ids = planExits(replay, { owner }).flatMap((item) =>
    item.kind === "leaf" && item.leafKind === "account" ? [item.leafId] : [],
  );
  const [only, ...others] = ids;
  if (only === undefined)
    throw clientError("CLI_LEAF_NOT_FOUND", `${owner} has no account with a balance in the ledger`, {
      data: { owner },
    });
  if (others.length === 0) return only;
  throw clientError("CLI_LEAF_AMBIGUOUS", `${owner} has the accounts ${ids.join(", ")}`, {
    data: { owner, ids },
  });
}
