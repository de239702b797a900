import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import type { ModelStatics } from "@openledger/circuits/ledger/leaf";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { hex32 } from "@openledger/foundation/hex";
import { type Abi, type Address, type Hex, toHex, zeroAddress } from "viem";
import { effectOf } from "../../l1-proposal.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { staticsOf } from "../../sequencer/model-reads.ts";
import {
  type LedgerModelLeaf,
  type LedgerSettlement,
  settlementSchema,
} from "../../sequencer/model-schemas.ts";
import type { SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import { requestSequencer } from "../../sequencer/sequencer-request.ts";
import type { L1Result } from "./l1-result.ts";
import { callContract, type L1ErrorCode, type L1Options } from "./l1-transaction.ts";

type Pair = readonly [bigint, bigint];

/** What one entry of `submitBatches` says, with its proof. */
export interface ProvenEntry {
  /** Name of the circuit. */
  readonly circuit: string;
  /** What L1 gets (docs/reference/settlement.md, "On L1"). */
  readonly data: Uint8Array;
  /** C, y, z. */
  readonly publicSignals: readonly [bigint, bigint, bigint];
  /** The real part of G2's coordinates first. */
  readonly proof: { readonly a: Pair; readonly b: readonly [Pair, Pair]; readonly c: Pair };
}

/**
 * A proven settlement or activation; its own circuit, data and proof are those of its first entry. Anyone who has it may send it:
 * the model signs an activation, and voids.
 */
export interface ProvenSettlement extends ProvenEntry {
  readonly kind: "settle" | "activation";
  readonly modelId: number;
  /** J. */
  readonly settlementHash: bigint;
  /** Its other entries in L1's order, of a model of several shards. */
  readonly further?: readonly ProvenEntry[];
  /** The model's, over J; needed for an activation, and where draws are void. */
  readonly signature?: Signature;
}

export interface SettlementEntryBody {
  readonly circuit: string;
  readonly data: Hex;
  readonly publicSignals: readonly Hex[];
  readonly proof: {
    readonly a: readonly Hex[];
    readonly b: readonly (readonly Hex[])[];
    readonly c: readonly Hex[];
  };
}

/** POST /v1/settlements: what a settlement looks like on the way, and in a file. */
export interface SettlementBody extends SettlementEntryBody {
  readonly kind: "settle" | "activation";
  readonly modelId: number;
  readonly settlementHash: Hex;
  readonly further?: readonly SettlementEntryBody[];
  readonly signature?: { readonly r8x: Hex; readonly r8y: Hex; readonly s: Hex };
}

/**
 * A proven settlement as the sequencer takes it, and as a file keeps it.
 * @example
 * ```ts
 * const file = JSON.stringify(encodeSettlementBody(settlement));
 * ```
 */
export function encodeSettlementBody(settlement: ProvenSettlement): SettlementBody {
  const { further, kind, modelId, settlementHash, signature } = settlement;
  return {
    kind,
    modelId,
    settlementHash: hex32(settlementHash),
    ...encodeEntryBody(settlement),
    ...(further === undefined ? {} : { further: further.map(encodeEntryBody) }),
    ...(signature === undefined
      ? {}
      : {
          signature: { r8x: hex32(signature.r8x), r8y: hex32(signature.r8y), s: hex32(signature.s) },
        }),
  };
}

function encodeEntryBody({ circuit, data, publicSignals, proof }: ProvenEntry): SettlementEntryBody {
  const hexes = (values: readonly bigint[]) => values.map(hex32);
  return {
    circuit,
    data: toHex(data),
    publicSignals: hexes(publicSignals),
    proof: { a: hexes(proof.a), b: proof.b.map(hexes), c: hexes(proof.c) },
  };
}

export type SendSettlementErrorCode = SequencerErrorCode;

/**
 * Sends a settlement, again if need be: the same one gets its present status.
 * @throws SEQ_SETTLEMENT_INVALID, SEQ_SETTLEMENT_STALE, SEQ_SETTLEMENT_INVALID, SEQ_TOO_EARLY,
 *   SEQ_RANDOMNESS_MISSED, SEQ_TOO_EARLY, SEQ_NOT_ADMITTED, OP_…, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { status } = await sendSettlement(client, encodeSettlementBody(settlement));
 * ```
 */
export function sendSettlement(client: LedgerClient, body: SettlementBody): Promise<LedgerSettlement> {
  return requestSequencer(client, "/v1/settlements", settlementSchema, { body });
}

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
