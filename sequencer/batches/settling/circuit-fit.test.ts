import { packBinding } from "@openledger/circuits/ledger/leaf";
import { expect, test } from "vitest";
import { requireSettledBy, requireSettling } from "./circuit-fit.ts";

const SHARDED = { name: "sharded-8-2-16-4", sort: 4 };
const shardOf = (rows: number, payees: number, features = 16) => ({
  name: `shard-${rows}-${features}-${payees}-4`,
  sort: 5,
});
/** Payees of two shards: nine rows and one payee, then three rows and two payees. */
const payees = Array.from({ length: 514 }, (_, m) => ({
  rowCount: [9, 2, 1][[0, 512, 513].indexOf(m)] ?? 0,
}));
const ids = { datanetId: 3n, version: 1n, predecessorId: 0n };
const binding = packBinding({ ...ids, rowCount: 12n, drawBits: 2n, featureCount: 16n });
const statics = { featuresCommitment: 1n, ownersCommitment: 2n, payeeRoot: 3n, binding, split: 0n };
const model = { modelId: 7, statics, payees };
const refusal = (data: object) =>
  expect.objectContaining({ code: "SEQ_SETTLEMENT_INVALID", data: expect.objectContaining(data) });

test("an activation of two shards needs circuits that settle every shard, or default splits would be all that it has", () => {
  const all = [shardOf(9, 1), shardOf(3, 2), shardOf(9, 2, 8)];
  expect(() => requireSettling(model, SHARDED, [...all, shardOf(9, 2)])).not.toThrow();
  expect(() => requireSettling(model, SHARDED, all)).toThrow(refusal({ what: "payees", given: 2, has: 1 }));
  expect(() => requireSettling(model, SHARDED, [])).toThrow(refusal({ field: "circuit" }));
  const three = { ...model, payees: [...payees, ...Array(510).fill({ rowCount: 0 }), { rowCount: 1 }] };
  expect(() => requireSettling(three, SHARDED, [shardOf(9, 2)])).toThrow(refusal({ what: "shards", has: 2 }));
});

test("each shard's circuit fits the shard of its place", () => {
  expect(() => requireSettledBy(model, [SHARDED, shardOf(9, 1), shardOf(3, 2)])).not.toThrow();
  expect(() => requireSettledBy(model, [SHARDED, shardOf(3, 2), shardOf(9, 1)])).toThrow(
    refusal({ circuit: "shard-3-16-2-4", what: "rows", given: 9, has: 3 }),
  );
  expect(() => requireSettledBy(model, [SHARDED, shardOf(9, 1), shardOf(3, 2, 8)])).toThrow(
    refusal({ field: "circuit" }),
  );
});
