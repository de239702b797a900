import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { KIND } from "@openledger/circuits/protocol";
import { CIRCUIT_SORT, decodeEntries, encodeEntries } from "@openledger/circuits/settlement/settlement-data";
import { expect, test } from "vitest";
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
