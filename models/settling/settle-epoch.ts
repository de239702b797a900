/**
 * Settlement of a model's closed epoch: every refusal before the proof, the model's consent to void draws, and the sending.
 * `openledger models settle` and the settling daemon draw it. Amounts are in wei.
 */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import {
  encodeSettlementBody,
  type SendSettlementErrorCode,
  type SettlementBody,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { signSettlement } from "@openledger/client/actions/l1/sign-settlement";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import {
  payeeTableFor,
  type RollupCircuit,
  settlementCircuitFor,
} from "@openledger/verifier/circuits/rollup-circuits";
import { settlerError } from "../model-errors.ts";
import type { Openings } from "./model-openings.ts";
import {
  type EpochFacts,
  type PrepareSampledErrorCode,
  type ProvableSettlement,
  prepareDefaultSplit,
  prepareSampled,
  type ReadClosedEpochErrorCode,
  readClosedEpoch,
} from "./prepare-settlement.ts";
import type { ProvedSettlement } from "./prove-settlement.ts";

/** Model with the openings of an epoch's receipts, as its server or a folder publishes them. */
export interface SettledPublication {
  readonly model: Pick<PublishedModel, "answeringHash" | "columns" | "features" | "payees" | "statics">;
  readonly openings: Openings;
}

/** Division of an epoch: by draws, or by row counts, which everybody may settle by once the ledger's time has come. */
export type EpochDivision =
  | { readonly by: "draws"; readonly published: (epoch: number) => Promise<SettledPublication> }
  | { readonly by: "rows" };

export interface PrepareEpochParameters {
  modelId: number;
  /** Closed epoch; default: the one that the ledger has. */
  epoch?: number;
  division: EpochDivision;
  /** Circuits of the rollup, as L1 lists them. */
  circuits: readonly RollupCircuit[];
  /** True settles draws whose receipts cannot be opened as void: their part is burned. The model has to sign it. */
  consentsToVoids?: boolean;
  /** Client with the model's key; null where the caller does not have it. */
  signer: ((leaf: LedgerModelLeaf) => Promise<LedgerClient>) | null;
}
export interface PreparedEpoch extends ProvableSettlement<PreparedSettlement | SampledSettlement> {
  readonly facts: EpochFacts;
  /** Client that signs void draws; null where there are none. */
  readonly consents: LedgerClient | null;
}
export type PrepareEpochErrorCode =
  | "CLI_CIRCUIT_MISSING"
  | "CLI_TOO_EARLY"
  | "CMD_VOID_DRAWS"
  | PrepareSampledErrorCode
  | ReadClosedEpochErrorCode;

/**
 * Prepares the settlement of a closed epoch, and refuses what the ledger or L1 would refuse after the proof.
 * @throws OP_NOTHING_CLOSED; CLI_TOO_EARLY while L1 has no randomness (`data.reason` "no-randomness"), where the bridge has missed it
 *   ("randomness-missed"), and by rows before the ledger's time ("before-default-split"); CMD_VOID_DRAWS where drawn payments cannot
 *   be opened, and nobody consents; CLI_CIRCUIT_MISSING, CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
async function prepareEpoch(
  client: LedgerClient,
  { circuits, consentsToVoids = false, division, epoch, modelId, signer }: PrepareEpochParameters,
): Promise<PreparedEpoch> {
  const facts = await readClosedEpoch(client, modelId, epoch);
  await requireDue(client, facts, division.by);
  if (division.by === "rows") {
    const provable = prepareDefaultSplit(facts, payeeTableFor(circuits, facts.leaf.payees));
    return { ...provable, facts, consents: null };
  }
  const { model, openings } = await division.published(Number(facts.closed.epoch));
  const settling = settlementCircuitFor(circuits, modelShape(model.statics, model.payees));
  const provable = prepareSampled(facts, { model, openings, settling });
  const voids = provable.prepared.draws.filter(({ isValid }) => !isValid);
  if (voids.length > 0 && (!consentsToVoids || signer === null))
    throw voidDraws(facts, provable.prepared, voids);
  return { ...provable, facts, consents: voids.length === 0 ? null : await signer!(facts.leaf) };
}

/** @throws CLI_TOO_EARLY */
async function requireDue(
  client: LedgerClient,
  { closed, leaf, prevRandao }: EpochFacts,
  by: EpochDivision["by"],
): Promise<void> {
  const { defaultSplitFromSeconds, isRandomnessMissed } = leaf.closedEpoch!;
  const what = `epoch ${closed.epoch} of model ${leaf.id}`;
  const tooEarly = (reason: string, message: string, more: object = {}) =>
    clientError("CLI_TOO_EARLY", message, {
      data: { reason, modelId: leaf.id, closingBatch: closed.closingBatch.toString(), ...more },
    });
  const from = defaultSplitFromSeconds;
  const when = from === null ? "L1 has its close" : new Date(from * 1000).toISOString();
  if (by === "draws") {
    if (isRandomnessMissed)
      throw tooEarly(
        "randomness-missed",
        `the randomness of ${what} was not recorded in time: from ${when} on, it is settled by row counts`,
        { allowedAtSeconds: from },
      );
    if (prevRandao === null)
      throw tooEarly(
        "no-randomness",
        `the randomness for ${what} is not on L1 yet: it comes from the block 128 after the close's`,
      );
    return;
  }
  const { l1 } = await getStatus(client);
  if (from !== null && l1.timestamp >= from) return;
  throw tooEarly("before-default-split", `${what} can be settled by row counts once ${when} has come`, {
    allowedAtSeconds: from,
    l1Seconds: l1.timestamp,
  });
}

function voidDraws(
  { closed, leaf }: EpochFacts,
  { data }: SampledSettlement,
  voids: readonly { readonly paymentIndex: number }[],
) {
  const payments = voids.map(({ paymentIndex }) => paymentIndex);
  return settlerError(
    "CMD_VOID_DRAWS",
    `epoch ${closed.epoch}: the drawn payments ${payments.join(", ")} pay for receipts that the server cannot open; settled so, ${formatOpen(data.burnedWei)} OPEN would be burned`,
    { data: { modelId: leaf.id, epoch: Number(closed.epoch), payments, burnedWei: data.burnedWei } },
  );
}

/** Signs void draws, and encodes a proven settlement for the sequencer. */
function consentedBody(
  { consents, facts }: Pick<PreparedEpoch, "consents" | "facts">,
  { settlement }: Pick<ProvedSettlement, "settlement">,
): SettlementBody {
  return encodeSettlementBody(
    consents === null ? settlement : signSettlement(consents, facts.leaf, settlement),
  );
}

export interface SettleEpochParameters extends PrepareEpochParameters {
  /** Proves what is prepared (`proveSettlement`). */
  prove: (provable: ProvableSettlement) => Promise<ProvedSettlement>;
  /** Body of an earlier call that is of exactly this settlement; absent or null: it is proven. */
  saved?: (prepared: PreparedEpoch) => SettlementBody | null;
  /** Called with what is proven, before it is sent, and awaited. */
  onProven?: (
    body: SettlementBody,
    proved: ProvedSettlement,
    prepared: PreparedEpoch,
  ) => void | Promise<void>;
  onProgress?: (progress: { readonly step: "preparing" | "proving" | "sending" }) => void;
}
export interface SettleEpochReturnType {
  readonly prepared: PreparedEpoch;
  /** Null where `saved` had the body. */
  readonly proved: ProvedSettlement | null;
  readonly settlement: LedgerSettlement;
}
export type SettleEpochErrorCode = PrepareEpochErrorCode | SendSettlementErrorCode;

/**
 * Settles a closed epoch: prepares it (`prepareEpoch`), has it proven, and sends it. Anyone may settle by draws who has the openings;
 * void draws need the model's key.
 * @throws as `prepareEpoch`; SEQ_SETTLEMENT_INVALID, SEQ_SETTLEMENT_STALE, CLI_UNREACHABLE; what `prove` throws
 * @example
 * ```ts
 * const { settlement } = await settleEpoch(client, {
 *   modelId: 11,
 *   division: { by: "rows" },
 *   circuits,
 *   signer: null,
 *   prove: async ({ prepared }) => proveSettlement(prepared, [{ circuitId: circuit.circuitId, proving }], { backend: "wasm" }),
 * });
 * console.log(settlement.batchNumber);
 * ```
 */
export async function settleEpoch(
  client: LedgerClient,
  { onProgress, onProven, prove, saved, ...parameters }: SettleEpochParameters,
): Promise<SettleEpochReturnType> {
  onProgress?.({ step: "preparing" });
  const prepared = await prepareEpoch(client, parameters);
  let body = saved?.(prepared) ?? null;
  let proved: ProvedSettlement | null = null;
  if (body === null) {
    onProgress?.({ step: "proving" });
    proved = await prove(prepared);
    body = consentedBody(prepared, proved);
    await onProven?.(body, proved, prepared);
  }
  onProgress?.({ step: "sending" });
  return { prepared, proved, settlement: await sendSettlement(client, body) };
}
