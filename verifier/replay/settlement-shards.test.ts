/** Tests of verification with settlements in shards, each with a circuit of its own. */
import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND } from "@openledger/circuits/protocol";
import { CIRCUIT_SORT, decodeEntries, encodeEntries } from "@openledger/circuits/settlement/settlement-data";
import { MODELS, moneyLedger } from "@openledger/contracts/testing/money-ledger";
import { expect, test } from "vitest";
import { type LedgerSnapshot, requireConsistent } from "./ledger-snapshot.ts";
import { SettlementReplay } from "./settlement-replay.ts";

const sizes: [sort: number, size0: number, size1: number][] = [
  [CIRCUIT_SORT.shardedSettlement, 16, 2],
  [CIRCUIT_SORT.shard, 0, 12],
  [CIRCUIT_SORT.shard, 0, 6],
];
const circuits = sizes.map(([sort, size0, size1]) => ({ sort, size0, size1 }) as RegisteredCircuit);
const replay = new SettlementReplay({
  circuits,
  verifyProof: () => Promise.reject(new Error("no proof is looked at")),
  readBlock: () => Promise.reject(new Error("no block is looked at")),
});

test("L1 takes a circuit of its own for each shard, as long as that holds its payees", () => {
  const head = { epoch: 0n, closingBatch: 1n, voidCount: 0, burnedWei: 0n, capCircuit: 0, chain: 3n };
  const items = [...Array<bigint>(12).fill(1n), ...Array<bigint>(500).fill(0n), 7n];
  const posted = decodeEntries(encodeEntries({ ...head, shardCount: 2, links: [8n, 9n], items }));
  const replayedBy = (...indexes: number[]) => {
    const [circuitIndex, ...further] = indexes.map((index) => ({ circuitIndex: index }));
    const settlement = { ...circuitIndex, further, posted };
    const batch = { batchNumber: 5n, wide: [{ kind: KIND.settle, b: 7 }] };
    return () => replay.replayed({ batch, settlements: [settlement] } as unknown as BatchEvent);
  };
  for (const taken of [replayedBy(0, 1, 2), replayedBy(0, 1, 1)]) expect(taken()).toHaveLength(1);
  for (const refused of [replayedBy(0, 2, 1), replayedBy(0, 2, 2), replayedBy(0, 1), replayedBy(1, 1, 2)])
    expect(refused).toThrow(expect.objectContaining({ code: "BRG_VERIFY_DIFFERS" }));
});

test("takes a snapshot's payees of two shards, and none that has no rows", async () => {
  await initPoseidon();
  const known = moneyLedger(() => 7n, 10n ** 24n, 1n);
  /** Checks a snapshot with these row counts and without the models' payments, which are checked last. */
  const takenWith = (rowCounts: (counts: number[]) => number[]) => () => {
    const leaves = new Map(known.leaves);
    const record = leaves.get(MODELS.old)!;
    const counts = rowCounts(record.rewards!.payees.map(({ rowCount }) => rowCount));
    const payees = record.rewards!.payees.map((payee, m) => ({ ...payee, rowCount: counts[m]! }));
    leaves.set(MODELS.old, { ...record, rewards: { ...record.rewards!, payees } });
    const ledger = new Ledger();
    ledger.putAll(leaves);
    const position = { root: ledger.root, nextId: leaves.size, queueHead: 0 };
    return requireConsistent({
      leaves,
      epochs: new Map(),
      position,
      waiting: [],
    } as unknown as LedgerSnapshot);
  };
  expect(takenWith((counts) => counts)).toThrow(/payments are there exactly if/);
  for (const [place, rows] of [
    [0, 0],
    [511, 1],
    [512, 0],
  ] as const)
    expect(takenWith((counts) => counts.with(place, rows))).toThrow(/a payee without rows/);
  expect(takenWith((counts) => counts.with(1, 49))).toThrow(/payee table is not what its body says/);
});
