/**
 * Computes which rows were paid by a drawn payment, one that Ethereum's randomness sampled, from what the model's server
 * publishes, and compares them with what was proven. Fetched only if a payment was drawn.
 */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { bucketsOfShape } from "@openledger/circuits/ledger/direct-query";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { isDirectQuery, modelQueryOfBytes } from "@openledger/circuits/ledger/model-query";
import { type AnswerOpening, divideEpoch } from "@openledger/circuits/settlement/divide-epoch";
import type { RegisteredMatrix } from "@openledger/circuits/settlement/scores/direct-matrix";
import { isAnswer } from "@openledger/circuits/settlement/scores/direct-matrix";
import { clientError } from "@openledger/client/client-errors";
import { type EpochPayments, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { requestSequencer } from "@openledger/client/sequencer/sequencer-request";
import { boundedBytes } from "@openledger/foundation/wire/bounded-body";
import { openingPages } from "@openledger/models/settling/opening-pages";
import { type PaidOut, paidBy } from "@openledger/models/settling/payment-status";
import { toHex } from "viem";
import { z } from "zod";

/** A settled epoch by draws, as the ledger's server tells it. */
interface SettledEpoch {
  readonly leaf: LedgerModelLeaf;
  readonly payments: EpochPayments;
  readonly settlement: LedgerSettlement;
}

/** Openings of the receipts, and the matrix that the model registers: both as its server gives them. */
export interface Published {
  readonly openings: ReadonlyMap<bigint, AnswerOpening>;
  readonly matrix: RegisteredMatrix;
}

const element = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
const openingsSchema = z.object({
  openings: z.array(
    z.object({
      index: z.int().nonnegative(),
      receipt: element,
      answerHash: element,
      salt: element,
      queryBytes: z.base64(),
    }),
  ),
  nextFrom: z.int().nullable(),
});

/** Limit of one request to the model's server. */
const TIMEOUT_MS = 30_000;
/** Maximum bytes of a matrix: far above the largest circuit's G. */
const MAX_MATRIX_BYTES = 2 ** 28;

/**
 * Fetches what a model's server publishes of an epoch. Of an open epoch these are the answers that are paid.
 * @throws ATT_SERVER_UNREACHABLE for openings without an end, CLI_UNREACHABLE, CLI_SEQUENCER_…
 */
export async function fetchPublishedRows(
  serverUrl: string,
  leaf: LedgerModelLeaf,
  epoch: number,
): Promise<Published> {
  const { featureCount, rowCount } = unpackBinding(leaf.model.binding);
  const bucketCount = bucketsOfShape(Number(featureCount));
  const access = { sequencerUrl: serverUrl.replace(/\/+$/, ""), requestTimeoutMs: TIMEOUT_MS };
  const openings = new Map<bigint, AnswerOpening>();
  const list = `/v1/openings?epoch=${epoch}`;
  const ask = (from: number) => requestSequencer(access, `${list}&from=${from}`, openingsSchema);
  for await (const page of openingPages(ask, { url: `${access.sequencerUrl}${list}` }))
    for (const { receipt, answerHash, queryBytes, salt } of page.openings) {
      const bytes = Uint8Array.from(atob(queryBytes), (character) => character.charCodeAt(0));
      openings.set(receipt, { answerHash, salt, query: modelQueryOfBytes(bytes, bucketCount !== null) });
    }
  const bytes = await fetchMatrix(access.sequencerUrl);
  if (bucketCount === null) return { openings, matrix: new Int8Array(bytes) };
  const view = new DataView(bytes);
  const values = Int16Array.from({ length: bytes.byteLength >> 1 }, (_, k) => view.getInt16(2 * k, true));
  // A contrast for each label but the first; none of a size that does not divide.
  const labelCount = 1 + values.length / ((Number(rowCount) + 1) * (bucketCount + 1));
  return { openings, matrix: { rowCount: Number(rowCount), bucketCount, labelCount, values } };
}

async function fetchMatrix(serverUrl: string): Promise<ArrayBuffer> {
  const url = `${serverUrl}/v1/model/features.bin`;
  const unreachable = (cause?: unknown) =>
    clientError("CLI_UNREACHABLE", `no features from ${url}`, {
      data: { server: "answer server", url },
      cause,
    });
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (!response.ok) throw unreachable();
  const { buffer } = await boundedBytes(response, MAX_MATRIX_BYTES).catch((error: unknown) => {
    throw unreachable(error);
  });
  return buffer;
}

/**
 * Computes whom the draws of one payment paid. What every share earned must equal the settlement, to the wei. So the
 * shares' parts are proven, and only the division among one share's rows rests on the model's server.
 * @param index the payment's place in the epoch
 * @throws CLI_SETTLEMENT_DIFFERS, CIR_SETTLEMENT_DIFFERS, CIR_FEATURES_INVALID
 */
export async function computePayout(
  index: number,
  { leaf, payments, settlement }: SettledEpoch,
  { matrix, openings }: Published,
): Promise<PaidOut> {
  await initPoseidon();
  const { hash: _hash, ...statics } = staticsOf(leaf);
  const { amountWei, chain, epoch, seed } = payments;
  const { draws, earned } = divideEpoch({
    model: { modelId: leaf.id, statics, payees: leaf.payees, accruedWei: [] },
    closed: { epoch: BigInt(epoch), closingBatch: BigInt(payments.closingBatch!), amountWei, chain },
    payments: payments.payments,
    openingOf: (location) => provable(openings.get(payments.payments[location]!.receipt), matrix),
    seed: seed!,
    drawCount: leaf.model.drawCount,
    matrix,
  });
  for (const [share, { earnedWei }] of earned.entries()) {
    const settledWei = settlement.earnedWei?.[share] ?? 0n;
    if (earnedWei === settledWei) continue;
    throw clientError(
      "CLI_SETTLEMENT_DIFFERS",
      `share ${share}: ${settledWei} wei was settled, ${earnedWei} wei follows from what the model's server gives`,
      { data: { what: `earned by share ${share}`, posted: toHex(settledWei), computed: toHex(earnedWei) } },
    );
  }
  return paidBy(index, { leaf, settlement, sampled: { draws } });
}

/** Returns the opening; of a direct model only if the class is its answer: no settlement pays by another. */
function provable(opening: AnswerOpening | undefined, matrix: RegisteredMatrix): AnswerOpening | undefined {
  if (opening === undefined || matrix instanceof Int8Array || !isDirectQuery(opening.query)) return opening;
  return isAnswer(matrix, opening.query) ? opening : undefined;
}
