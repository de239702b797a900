import { EARNER_ROLE } from "@openledger/circuits/ledger/rewards";
import type { LedgerClient } from "../../ledger-client.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced } from "./send-forced.ts";

export interface ForceCollectParameters extends ForcedOptions {
  /** The contributor's or validator's leaf; its l1Owner must be the client's L1 account. */
  id: number;
  modelId: number;
  /** Of the model's earner table. */
  earnerIndex: number;
  /** In which the leaf is half of the earner. */
  role: keyof typeof EARNER_ROLE;
}
export type ForceCollectReturnType = QueueResult;

export type ForceCollectErrorCode = ForcedErrorCode;

/**
 * Collects an earner's rewards through the L1 queue, which no sequencer can leave out: all that is earned when the entry is
 * executed goes to the leaf's balance. Burns the queue's fee, also where the earner is another's.
 * @throws CLI_NO_L1_ACCOUNT, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 * @example
 * ```ts
 * await forceCollect(client, { id: 7, modelId: 11, earnerIndex: 0, role: "contributor" });
 * ```
 */
export async function forceCollect(
  client: LedgerClient,
  parameters: ForceCollectParameters,
): Promise<ForceCollectReturnType> {
  const { id, modelId, earnerIndex, role } = parameters;
  const isValidator = EARNER_ROLE[role] === EARNER_ROLE.validator;
  return sendForced(client, "forceCollect", [id, modelId, earnerIndex, isValidator], parameters);
}
