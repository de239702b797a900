import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { accruedRoot, closedHash, settlementHash } from "@openledger/circuits/ledger/rewards";
import {
  decodeEntries,
  decodeSettlement,
  encodeEntries,
  encodeSettlement,
} from "@openledger/circuits/settlement/settlement-data";
import { staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { toHex } from "viem";
import { expect, test } from "vitest";
import { compareShownSettlement, type ShownSettlement } from "./check-settlement.ts";

await initPoseidon();

const OPEN = 10n ** 18n;
/** An epoch of 1 OPEN: 60 bits, so that a quantum is 2^20 wei. */
const quanta = [OPEN >> 22n, 3n];
const head = {
  epoch: 2n,
  closingBatch: 5n,
  voidCount: 0,
  burnedWei: 0n,
  capCircuit: 0,
  shardCount: 1,
  chain: 7n,
};
const wire = encodeSettlement({ ...head, items: quanta });
const earnedWei = quanta.map((item) => item << 20n);
const earnedSumWei = earnedWei[0]! + earnedWei[1]!;
const [ownerWei, accruedBeforeWei] = [OPEN / 4n, [5n, 6n]];
const treasuryWei = OPEN - ownerWei - earnedSumWei;
const payees = [2, 3].map((id) => ({ contributorId: id, validatorId: 4, rowCount: 10 }));
const roots = { featuresCommitment: 1n, ownersCommitment: 2n, payeeRoot: 3n, binding: 4n };
const model = { model: { ...roots, ownerParts: 5, validatorParts: 6 }, payees } as unknown as LedgerModelLeaf;
const hash = settlementHash({
  modelId: 11,
  voidCount: 0,
  ownerWei,
  treasuryWei,
  closed: closedHash(staticsOf(model).hash, { ...head, amountWei: OPEN }),
  oldAccruedRoot: accruedRoot(payees, accruedBeforeWei),
  newAccruedRoot: accruedRoot(
    payees,
    accruedBeforeWei.map((wei, m) => wei + earnedWei[m]!),
  ),
});
const settlement = {
  modelId: 11,
  kind: "settle",
  settlementHash: hash,
  publicSignals: [9n, 0n, 0n],
  data: toHex(wire),
  voidCount: 0,
  burnedWei: 0n,
  earnedWei,
  earnedSumWei,
  ownerWei,
  treasuryWei,
} as unknown as LedgerSettlement;
const onL1 = {
  posted: decodeSettlement(wire),
  submitted: { data: toHex(wire), commitment: 9n, further: [] },
} as unknown as Parameters<typeof compareShownSettlement>[1];

const compared = (changed: Partial<LedgerSettlement> = {}, others: Partial<ShownSettlement> = {}) =>
  compareShownSettlement(
    { settlement: { ...settlement, ...changed }, model, accruedBeforeWei, ...others },
    onL1,
  );

test("an honest server's wei are the quanta on L1, and a wei more of a share is not", () => {
  expect(compared()).toMatchObject({ state: "done", text: expect.stringContaining("to the wei") });
  expect(compared({ earnedWei: [earnedWei[0]!, earnedWei[1]! + 1n] })).toMatchObject({
    state: "failed",
    text: "This server shows other data than Ethereum has: what share 1 earned.",
  });
  expect(compared({ treasuryWei: treasuryWei + OPEN }).state, "another amount, so other quanta").toBe(
    "failed",
  );
});

test("amounts that are all scaled, and other parts of the same sum, are not those of J", () => {
  const twice = {
    earnedWei: earnedWei.map((wei) => 2n * wei),
    earnedSumWei: 2n * earnedSumWei,
    ownerWei: 2n * ownerWei,
    treasuryWei: 2n * treasuryWei,
  };
  for (const change of [twice, { ownerWei: ownerWei - 1n, treasuryWei: treasuryWei + 1n }])
    expect(compared(change)).toMatchObject({
      state: "failed",
      text: expect.stringContaining("what the epoch was paid"),
    });
  expect(compared({}, { accruedBeforeWei: [5n, 7n] }).state).toBe("failed");
});

test("says whom it believes where the server has too few settlements", () => {
  expect(compared({}, { accruedBeforeWei: null })).toMatchObject({
    state: "done",
    text: expect.stringContaining("2^20 wei is what this server says"),
  });
});

test("compares every entry of a settlement of several shards, and a payee of the second by its place", () => {
  const items = [quanta[0]!, ...Array<bigint>(511).fill(0n), quanta[1]!];
  const wires = encodeEntries({ ...head, shardCount: 2, links: [8n, 9n], items });
  const [first, ...others] = wires.map((data, i) => ({ data: toHex(data), commitment: BigInt(20 + i) }));
  const submitted = { ...first, further: others };
  const entries = [first!, ...others].map(({ commitment, data }) => ({
    data,
    publicSignals: [commitment, 0n, 0n] as const,
  }));
  const shown = {
    ...settlement,
    ...entries[0],
    further: entries.slice(1),
    earnedWei: items.map((item) => item << 20n),
  } as unknown as LedgerSettlement;
  const found = { posted: decodeEntries(wires), submitted } as unknown as typeof onL1;
  const compareOf = (change: Partial<LedgerSettlement>) =>
    compareShownSettlement({ settlement: { ...shown, ...change }, model, accruedBeforeWei: null }, found);
  expect(compareOf({}).state).toBe("done");
  const failed = (what: string) => ({
    state: "failed",
    text: `This server shows other data than Ethereum has: ${what}.`,
  });
  const [draws, ...shards] = shown.further!;
  const moved = shown.earnedWei!.with(1, shown.earnedWei![512]!).with(512, 0n);
  expect(compareOf({ earnedWei: moved })).toMatchObject(failed("what share 1 earned"));
  expect(compareOf({ further: [draws!, ...shards].toReversed() })).toMatchObject(
    failed("the data commitment of entry 1"),
  );
  const data = shards[0]!.data.replace(/.$/, "f") as `0x${string}`;
  expect(compareOf({ further: [draws!, { ...shards[0]!, data }] })).toMatchObject(failed("its bytes"));
  expect(compareOf({ further: [draws!] })).toMatchObject(failed("the number of its entries"));
  const { further: _, ...one } = shown;
  expect(compareShownSettlement({ settlement: one, model, accruedBeforeWei: null }, found).state).toBe(
    "failed",
  );
});
