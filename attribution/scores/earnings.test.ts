import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, directQueryCommitment } from "@openledger/circuits/ledger/direct-query";
import { answerHash, receiptHash } from "@openledger/circuits/ledger/model-query";
import {
  type AnswerOpening,
  type EpochPayment,
  type EpochToSettle,
  paymentChain,
  type SampledSettlement,
} from "@openledger/circuits/settlement/divide-epoch";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import type { SettledModel } from "@openledger/circuits/settlement/settled-model";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { shardedEpochOf } from "@openledger/circuits/testing/settlement/shard-epochs";
import { beforeAll, describe, expect, it } from "vitest";
import { type DirectParts, directFamily } from "../model/direct/direct-family.ts";
import { trainDirect } from "../model/direct/direct-training.ts";
import { type PublishedModel, publishedModel } from "../model/model-files.ts";
import { rowOwners } from "../model/payee-table.ts";
import { directMatrix, registerModel } from "../model/registration.ts";
import { recipeFor, sampleInputs, sampleRows } from "../testing/sample-rows.ts";
import { explainEarnings } from "./earnings.ts";

const BUCKETS = 64;
const SIZE = { rows: 32, features: BUCKETS, payees: 16, payments: 8, draws: 4, isDirect: true };
const PRICE_WEI = 1_234_567_890_123_456_789n;

let model: PublishedModel<DirectParts>;
let settled: SettledModel;
let payments: EpochPayment[];
let openings: Map<bigint, AnswerOpening<DirectQuery>>;

beforeAll(async () => {
  await initPoseidon();
  const rows = sampleRows("text", 24);
  const trained = await trainDirect(rows, recipeFor(rows, BUCKETS));
  const terms = { split: { ownerParts: 16_384n, validatorParts: 13_107n } };
  model = publishedModel(trained, registerModel(trained, terms, SIZE), { publishRows: true });
  settled = {
    modelId: 9,
    statics: model.statics,
    payees: model.payees,
    accruedWei: model.payees.map((_, m) => BigInt(m) + 1n),
  };
  const answering = await directFamily.open(model);
  openings = new Map();
  payments = sampleInputs("text", 6, "asked").map(({ input }, i) => {
    const { text, ...answer } = answering.answer(input);
    const query = answer.query as DirectQuery;
    const opening = { answerHash: answerHash(input, text), query, salt: BigInt(i) };
    const receipt = receiptHash({
      statics: model.staticsHash,
      payerId: 20 + i,
      ...opening,
      queryCommitment: directQueryCommitment(query),
    });
    openings.set(receipt, opening);
    return { payerId: 20 + i, receipt, cumulativeWei: PRICE_WEI * BigInt(i + 1) };
  });
});

function settle(openingOf: (receipt: bigint) => AnswerOpening | undefined): SampledSettlement {
  return settleEpoch({
    size: SIZE,
    model: settled,
    closed: {
      chain: paymentChain(payments),
      epoch: 1n,
      closingBatch: 5n,
      amountWei: payments.at(-1)!.cumulativeWei,
    },
    payments,
    openingOf: (i) => openingOf(payments[i]!.receipt),
    features: {
      matrix: directMatrix(model.features),
      columns: model.columns,
      answeringHash: model.answeringHash,
    },
    seed: 0x1234_5678_9abc_def0_1234_5678_9abc_def0n,
  });
}

describe("explainEarnings", () => {
  it("names the payees of all shards by their places, and no absent ones", () => {
    const epoch = shardedEpochOf([[2, 1], [3]], { seed: 5, amountsWei: [PRICE_WEI, PRICE_WEI] });
    const settlement = settleEpoch(epoch as EpochToSettle);
    const { payees, rows } = explainEarnings(settlement, epoch, settlement.earnedWei);
    expect(payees.map(({ payeeIndex }) => payeeIndex)).toEqual([0, 1, 512]);
    expect(payees.map(({ earnedWei }) => earnedWei)).toEqual(
      [0, 1, 512].map((position) => settlement.earnedWei[position]),
    );
    const { contributorId, validatorId } = epoch.model.payees[512]!;
    const ofSecond = rows.filter(({ row }) => row >= 3);
    expect(ofSecond.length).toBeGreaterThan(0);
    for (const row of ofSecond) expect(row).toMatchObject({ payeeIndex: 512, contributorId, validatorId });
    expect(rows.filter(({ row }) => row < 3).every(({ payeeIndex }) => payeeIndex < 2)).toBe(true);
  });

  it("explains every wei of every payee by rows, draws and answers", () => {
    const settlement = settle((receipt) => openings.get(receipt));
    const { rows, payees, voids } = explainEarnings(
      settlement,
      { model: settled, payments },
      settlement.data.items.map((quanta) => quanta << settlement.quantumBits),
    );
    expect(voids).toEqual([]);
    expect(payees.map(({ earnedWei }) => earnedWei)).toEqual(settlement.earnedWei);
    const owners = rowOwners(model.payees);
    for (const { payeeIndex, earnedWei, contributorWei, validatorWei } of payees) {
      const theirs = rows.filter((row) => row.payeeIndex === payeeIndex);
      const parts = theirs.reduce((sum, row) => sum + row.earnedParts, 0n);
      expect((parts >> 40n) << settlement.quantumBits).toBe(earnedWei);
      expect(contributorWei + validatorWei).toBe(earnedWei);
      expect(Number(validatorWei) / Number(earnedWei)).toBeCloseTo(0.2, 4);
    }
    for (const { row, payeeIndex, contributorId, earnedParts, draws } of rows) {
      expect(payeeIndex).toBe(owners[row]);
      expect(contributorId).toBe(model.rows![row]!.contributorId);
      expect(draws.reduce((sum, draw) => sum + draw.earnedParts, 0n)).toBe(earnedParts);
      for (const { receipt, score } of draws) {
        const { query } = openings.get(receipt)!;
        expect(score).toBe(directScores(directMatrix(model.features), query)[row]!);
      }
    }
    expect(rows.map(({ earnedParts }) => earnedParts)).toEqual(
      rows.map(({ earnedParts }) => earnedParts).toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0)),
    );
  });

  it("names the draws that were burned", () => {
    const [drawn] = settle((receipt) => openings.get(receipt)).draws;
    const hidden = payments[drawn!.paymentIndex]!.receipt;
    const settlement = settle((receipt) => (receipt === hidden ? undefined : openings.get(receipt)));
    const { rows, voids } = explainEarnings(settlement, { model: settled, payments });
    expect(voids).toContainEqual({ draw: 0, paymentIndex: drawn!.paymentIndex, receipt: hidden });
    expect(rows.every(({ draws }) => draws.every(({ receipt }) => receipt !== hidden))).toBe(true);
  });

  it("pays by row counts where no score is positive", () => {
    const settlement = settle((receipt) => openings.get(receipt));
    const [first] = settlement.draws;
    const scores = [-1n, 0n, ...Array<bigint>(22).fill(-5n)];
    const draws = [{ ...first!, isEven: true, scores, rewardPerUnit: 3n << 40n }];
    const earnedWei = model.payees.map(({ rowCount }) => 3n * BigInt(rowCount));
    const { rows, payees } = explainEarnings(
      { draws, earnedWei, quantumBits: 0n },
      { model: settled, payments },
      earnedWei,
    );
    expect(rows).toHaveLength(24);
    expect(rows.every((row) => row.earnedWei === 3n)).toBe(true);
    expect(payees.map((payee) => payee.earnedWei)).toEqual(earnedWei);
  });

  it("refuses a posted settlement that gave a payee something else", () => {
    const settlement = settle((receipt) => openings.get(receipt));
    const posted = settlement.earnedWei.map((wei, m) => (m === 1 ? wei + 1n : wei));
    expect(() => explainEarnings(settlement, { model: settled, payments }, posted)).toThrow(
      expect.objectContaining({ code: "ATT_MODEL_MISMATCH", data: expect.objectContaining({ payee: 1 }) }),
    );
  });
});
