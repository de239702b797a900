/**
 * `openledger transfer --forced`: a transfer through L1's queue. Without a sequencer, payer and recipient are looked up in a
 * ledger rebuilt from L1.
 */

import { clientError } from "@openledger/client/client-errors";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { type Address, getAddress, numberToHex } from "viem";
import { accountOf, type GlobalOptions, resolveLeaf, type Signer } from "../../cli/context.ts";
import { type LedgerOnL1, ledgerOnL1, onlyAccountOf } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { ForcedOptions } from "./forced-operation.ts";
import { sendThroughL1 } from "./through-l1.ts";

export interface ForcedTransfer {
  /** Leaf ids; with a sequencer also names and addresses. `from`: the account's leaf where absent. */
  readonly from: string | undefined;
  readonly to: string;
  readonly amountWei: bigint | "all";
}

/** @throws CMD_USAGE, CLI_FORCED_NO_EFFECT, CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID, CLI_L1_REVERTED, BRG_* */
export async function transferThroughL1(
  signer: Signer,
  transfer: ForcedTransfer,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<void> {
  const { amountWei } = transfer;
  const ledger = ledgerOnL1(options, output);
  const { expectedOwner, from, to } = await partiesOf(signer, transfer, options, ledger);
  const operation = { type: "transfer", id: from, to, amountWei, expectedOwner } as const;
  const amount = amountWei === "all" ? "everything" : `${formatOpen(amountWei)} OPEN`;
  const what = `${amount} from leaf ${from} to leaf ${to} of ${expectedOwner}`;
  const { facts, lines } = await sendThroughL1(signer, { operation, what, ledger }, options, output);
  output.answer(lines, { from, to, amountWei, ...facts });
}

async function partiesOf(
  { account, client }: Signer,
  { from, to }: ForcedTransfer,
  options: GlobalOptions,
  ledgerOf: LedgerOnL1,
): Promise<{ from: number; to: number; expectedOwner: Address }> {
  const owner = account.l1.address;
  if (client.sequencerUrl !== null) {
    const [payer, recipient] = await Promise.all([
      from === undefined ? accountOf(client, owner) : resolveLeaf(client, options, from),
      resolveLeaf(client, options, to),
    ]);
    return { from: payer.id, to: recipient.id, expectedOwner: recipient.l1Owner };
  }
  const recipientId = parseId(to);
  const { ledger } = await ledgerOf();
  const recipient = ledger.leaf(recipientId);
  if (recipient === undefined)
    throw clientError("CLI_LEAF_NOT_FOUND", `there is no leaf ${recipientId}`, { data: { id: recipientId } });
  return {
    from: from === undefined ? onlyAccountOf(ledger, owner) : parseId(from),
    to: recipientId,
    expectedOwner: getAddress(numberToHex(recipient.leaf.l1Owner, { size: 20 })),
  };
}
