/** A published direct model, and the ledger as the sequencer shows it, for tests of answer servers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DirectParts } from "@openledger/attribution/model/direct/direct-family";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { recipeFor, sampleInputs, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { directShape } from "@openledger/circuits/ledger/direct-query";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { FakeFailure } from "@openledger/client/testing/fake-sequencer";
import type { LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";

export const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
export const PRICE_WEI = 2_000_000_000_000_000_000n;
export const DIRECT_SIZE = { rows: 64, features: 64, payees: 16, draws: 4, isDirect: true } as const;

export interface AnsweredModel {
  readonly model: PublishedModel<DirectParts>;
  readonly publishedFolder: string;
  readonly prompts: string[];
  readonly checkable: Awaited<ReturnType<typeof openCheckable<DirectParts>>>;
  remove(): Promise<void>;
}

export async function publishDirectModel(): Promise<AnsweredModel> {
  await initPoseidon();
  const rows = sampleRows("text", 24);
  const trained = await trainDirect(rows, recipeFor(rows, 64));
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  const registration = registerModel(trained, { split }, DIRECT_SIZE);
  const model = publishedModel(trained, registration, { publishRows: true });
  const checkable = await openCheckable(model);
  const parent = await mkdtemp(join(tmpdir(), "published-"));
  const publishedFolder = join(parent, "model");
  await writeModel(publishedFolder, model);
  const prompts = sampleInputs("text", 3, "asked").map(({ input }) => input);
  return { model, publishedFolder, prompts, checkable, remove: () => rm(parent, { recursive: true }) };
}

/** The model as the sequencer shows it. */
export function modelLeaf(model: AnsweredModel["model"], id: number, changed: object = {}) {
  const { split, ...statics } = model.statics;
  const { ownerParts, validatorParts } = unpackSplit(split);
  return {
    id,
    kind: "model",
    nonce: 0,
    nextNonce: 0,
    l1Owner: "0x000000000000000000000000000000000000000b",
    keyX: hex32(0n),
    balanceWei: "0",
    chain: hex32(0n),
    openAmountWei: "0",
    counters: {
      isReady: true,
      isApproved: true,
      approvals: 0,
      cap: 64,
      paymentCount: 0,
      epoch: 1,
      priceWei: PRICE_WEI.toString(),
      ...changed,
    },
    model: {
      ...Object.fromEntries(Object.entries(statics).map(([name, value]) => [name, hex32(value)])),
      datanetId: 4,
      version: 1,
      furtherDatanets: [],
      drawCount: 4,
      featureCount: directShape(64),
      ownerParts: Number(ownerParts),
      validatorParts: Number(validatorParts),
      epochStart: 1,
    },
    closedEpoch: null,
    payees: model.payees.map((payee, index) => ({
      index,
      ...payee,
      accruedWei: "0",
      contributor: ROLE,
      validator: ROLE,
    })),
  };
}

/** Rewards of a payee in one role: none. */
const ROLE = { earnedWei: "0", claimedWei: "0", claimableWei: "0" };

/** `hash` of its operation; default: none, as of a payment that L1's queue forced. */
export type Payment = { receipt: bigint; payerId: number; hash?: string };

/** Sets epoch 1 of the ledger's payments for a model, of which the server may ask any page, and a payer the first. */
export function setPayments(
  { sequencer: { answers } }: Pick<LedgerFixture, "sequencer">,
  modelId: number,
  payments: readonly Payment[],
  isClosed = false,
): void {
  const chain = hex32(
    paymentChain(payments.map((one, i) => ({ ...one, cumulativeWei: PRICE_WEI * BigInt(i + 1) }))),
  );
  for (let from = 0; from <= payments.length; from++) {
    const page = {
      epoch: 1,
      isClosed,
      closingBatch: null,
      chain,
      amountWei: (PRICE_WEI * BigInt(payments.length)).toString(),
      paymentCount: payments.length,
      payments: payments.slice(from).map(({ hash, receipt, payerId }, i) => ({
        hash: hash ?? hex32(0n),
        batchNumber: 1,
        receipt: hex32(receipt),
        payerId,
        amountWei: PRICE_WEI.toString(),
        cumulativeWei: (PRICE_WEI * BigInt(from + i + 1)).toString(),
      })),
    };
    answers.set(`GET /v1/models/${modelId}/payments?epoch=1&from=${from}`, page);
    if (from === 0) answers.set(`GET /v1/models/${modelId}/payments?from=0&limit=500&epoch=1`, page);
  }
  answers.set(
    `GET /v1/models/${modelId}/payments?epoch=2&from=0`,
    isClosed
      ? { epoch: 2, isClosed: false, chain: hex32(0n), paymentCount: 0, payments: [] }
      : new FakeFailure(404, { error: { code: "SEQ_UNKNOWN", message: "not yet" } }),
  );
}
