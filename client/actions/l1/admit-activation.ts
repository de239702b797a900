import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Abi, type Hex, zeroAddress } from "viem";
import { effectOf } from "../../l1-proposal.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { staticsOf } from "../../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../../sequencer/model-schemas.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

export interface AdmitActivationParameters extends L1Options {
  /** On the ledger, without an activation. */
  readonly model: LedgerModelLeaf;
  /** Most payments an epoch: those of the circuit that the activation names. */
  readonly cap: bigint;
  /** J of the activation. */
  readonly settlementHash: bigint;
  /** The hash of the model's column commitments. */
  readonly columnsCommitment: bigint;
  /** The SHA-256 of recipe, parameters and map, 96 bytes. */
  readonly answeringPreimage: Hex;
}

export type AdmitActivationErrorCode = L1ErrorCode;

/**
 * Has the rollup's gate admit the activation of a model that promises no window, in which anyone could refute it.
 * @returns null where there is no gate, or it admits the activation already
 * @throws CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { hash, payeeRoot } = staticsOf(model);
 * const settlementHash = activationHash({ modelId: model.id, statics: hash, cap: 16, payeeRoot });
 * await admitActivation(client, { model, cap: 16n, settlementHash, columnsCommitment, answeringPreimage });
 * ```
 */
export async function admitActivation(
  client: LedgerClient,
  parameters: AdmitActivationParameters,
): Promise<L1Result | null> {
  const { answeringPreimage, cap, columnsCommitment, model, settlementHash } = parameters;
  const { l1, rollupAddress } = client;
  const gate = await l1.readContract({
    ...{ address: rollupAddress, abi: rollupAbi, functionName: "activationGate" },
  });
  if (gate === zeroAddress) return null;
  // Loaded here: most clients never ask.
  const { disputesAbi } = await import("@openledger/contracts/build/disputes-abi");
  const isAdmitted = await l1.readContract({
    ...{ address: gate, abi: disputesAbi, functionName: "admits", account: rollupAddress },
    args: [BigInt(model.id), settlementHash],
  });
  if (isAdmitted) return null;
  const { binding, ownersCommitment, payeeRoot, split } = staticsOf(model);
  const parts = [columnsCommitment, ownersCommitment, payeeRoot, binding, split];
  const effect = effectOf("gate", "Admitted", { modelId: model.id, word: settlementHash });
  return callContract(
    client,
    {
      ...{ address: gate, abi: disputesAbi as Abi, functionName: "admitUnchallenged" },
      args: [model.id, answeringPreimage, parts, cap],
      effect: { ...effect, address: gate },
    },
    parameters,
  );
}
