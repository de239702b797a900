/** The gate that a rollup asks before it takes a model's activation (docs/explanation/disputes.md). */
import type { ModelStatics } from "@openledger/circuits/ledger/leaf";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Abi, type Address, type Hex, zeroAddress } from "viem";
import { effectOf } from "../../l1-proposal.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { staticsOf } from "../../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../../sequencer/model-schemas.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

// Loaded where it is needed: most clients never ask.
const loadAbi = async () => (await import("@openledger/contracts/build/disputes-abi")).disputesAbi;

export type WaitingGateErrorCode = L1ErrorCode;

/**
 * The contract that has to admit a model's activation before the rollup takes it; null where there is none, or it has.
 * @param settlementHash J of the activation
 * @throws CLI_UNREACHABLE
 * @internal
 */
export async function waitingGate(
  { l1, rollupAddress }: Pick<LedgerClient, "l1" | "rollupAddress">,
  modelId: number,
  settlementHash: bigint,
): Promise<Address | null> {
  const gate = await l1.readContract({
    ...{ address: rollupAddress, abi: rollupAbi, functionName: "activationGate" },
  });
  if (gate === zeroAddress) return null;
  const isAdmitted = await l1.readContract({
    ...{ address: gate, abi: await loadAbi(), functionName: "admits", account: rollupAddress },
    args: [BigInt(modelId), settlementHash],
  });
  return isAdmitted ? null : gate;
}

/** What L1 is shown of a model that promises no window. */
export interface UnchallengedModel {
  /** Of each of its shards the hash of its column commitments, in the shards' order. */
  readonly columnsCommitments: readonly bigint[];
  /** The SHA-256 of recipe, parameters and map, 96 bytes. */
  readonly answeringPreimage: Hex;
}

/**
 * The call `admitUnchallenged`.
 * @param cap most payments an epoch: those of the circuit that the activation names
 * @internal
 */
export function admitUnchallengedCall(
  modelId: number,
  { binding, ownersCommitment, payeeRoot, split }: ModelStatics,
  { answeringPreimage, columnsCommitments }: UnchallengedModel,
  cap: bigint,
) {
  const rest = [ownersCommitment, payeeRoot, binding, split] as const;
  const args = [modelId, answeringPreimage, columnsCommitments, rest, cap] as const;
  return { functionName: "admitUnchallenged", args } as const;
}

export interface AdmitActivationParameters extends L1Options, UnchallengedModel {
  /** That the activation waits for: `waitingGate`. */
  readonly gate: Address;
  /** On the ledger, without an activation. */
  readonly model: LedgerModelLeaf;
  /** Most payments an epoch: those of the circuit that the activation names. */
  readonly cap: bigint;
  /** J of the activation. */
  readonly settlementHash: bigint;
}

export type AdmitActivationErrorCode = L1ErrorCode;

/**
 * Has a gate admit the activation of a model that promises no window, in which anyone could refute it.
 * @throws CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_UNREACHABLE
 * @internal
 */
export async function admitActivation(
  client: LedgerClient,
  parameters: AdmitActivationParameters,
): Promise<L1Result> {
  const { cap, gate, model, settlementHash } = parameters;
  const effect = effectOf("gate", "Admitted", { modelId: model.id, word: settlementHash });
  return callContract(
    client,
    {
      ...{ address: gate, abi: (await loadAbi()) as Abi, effect: { ...effect, address: gate } },
      ...admitUnchallengedCall(model.id, staticsOf(model), parameters, cap),
    },
    parameters,
  );
}
