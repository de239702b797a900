/**
 * `openledger withdraw --forced`: withdraws through L1's queue. Without a sequencer nobody but an Ethereum node is asked: none
 * is needed, and none can prevent it.
 */

import { clientError } from "@openledger/client/client-errors";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { planExits } from "@openledger/verifier/exits/exit-plan";
import type { RestoredLedger } from "@openledger/verifier/restore/restore-ledger";
import { refuseWaiting, waitingLeaves } from "@openledger/verifier/without-operator/forced-check";
import type { Address } from "viem";
import { accountOf, type GlobalOptions, resolveLeaf, type Signer } from "../../cli/context.ts";
import { type LedgerOnL1, ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { ForcedOptions } from "./forced-operation.ts";
import { type ForcedSending, sendThroughL1 } from "./through-l1.ts";

export interface ForcedWithdrawal {
  /** Leaf's id, or with a sequencer a name or an address; default: the account's leaf. */
  readonly from: string | undefined;
  readonly amountWei: bigint | "all";
  readonly recipient: Address;
}

/** @throws CMD_USAGE, CLI_FORCED_NO_EFFECT, CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID, CLI_L1_REVERTED, BRG_* */
export async function withdrawThroughL1(
  signer: Signer,
  { amountWei, from, recipient }: ForcedWithdrawal,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<void> {
  const { client } = signer;
  const ledger = ledgerOnL1(options, output);
  const leafId = await payingLeaf(signer, from, options, ledger);
  const amount = amountWei === "all" ? "everything" : `${formatOpen(amountWei)} OPEN`;
  const what = `${amount} from leaf ${leafId} for ${recipient}`;
  const sending: ForcedSending = {
    operation: { type: "withdraw", id: leafId, amountWei, recipient },
    what,
    ledger,
    targetOf: ({ queueIndex }) => ({ withdrawal: { queueIndex } }),
  };
  const { facts, lines } = await sendThroughL1(signer, sending, options, output);
  const outlook =
    client.sequencerUrl === null
      ? [
          "after 24 hours anyone can post the queue (openledger submit-queue), after 7 days anyone can freeze the rollup (openledger freeze)",
        ]
      : [];
  output.answer([...lines, ...outlook], { leafId, amountWei, recipient, ...facts });
}

async function payingLeaf(
  { account, client }: Signer,
  from: string | undefined,
  options: GlobalOptions,
  ledger: LedgerOnL1,
): Promise<number> {
  const owner = account.l1.address;
  if (client.sequencerUrl !== null) {
    const leaf =
      from === undefined ? await accountOf(client, owner) : await resolveLeaf(client, options, from);
    return leaf.id;
  }
  return from === undefined ? findAccount(await ledger(), owner) : parseId(from);
}

function findAccount(restored: RestoredLedger, owner: Address): number {
  const ids = planExits(restored.replay, { owner }).flatMap((item) =>
    item.kind === "leaf" && item.leafKind === "account" ? [item.leafId] : [],
  );
  const [only, ...others] = ids;
  if (only === undefined) {
    const waiting = waitingLeaves(restored).find(({ entry }) => entry.word1 === BigInt(owner));
    if (waiting !== undefined) refuseWaiting(waiting.leafId, waiting.entry);
    throw clientError("CLI_LEAF_NOT_FOUND", `${owner} has no account with a balance in the ledger`, {
      data: { owner },
    });
  }
  if (others.length === 0) return only;
  throw clientError("CLI_INPUT_INVALID", `${owner} has the accounts ${ids.join(", ")}`, {
    data: { reason: "leaf-ambiguous", owner, ids },
  });
}
