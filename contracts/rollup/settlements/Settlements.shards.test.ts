/** Settlements of several shards: one entry, statement and proof for each, and by draws one more. */

import { FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import {
  decodeEntries,
  entryElements,
  type SettlementData,
} from "@openledger/circuits/settlement/settlement-data";
import { type Hex, hexToBytes, numberToHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revertEachTest } from "../../testing/chain.ts";
import {
  type ClosedBatch,
  OPEN,
  type ProvenSettlementFixture,
  randomElement,
  revertOf,
} from "../../testing/rollup-fixture.ts";
import {
  type ClosedFixture,
  MODEL,
  PAYEE_TABLE,
  preVerifyArguments,
  SAMPLED,
  type SettlementPart,
  SHARD,
  SHARDED,
  startClosedFixture,
} from "../../testing/settlement-fixture.ts";

const DAY = 86_400n;
const rejected = { name: "VerifierProofRejected", args: [] };

let f: ClosedFixture;
beforeAll(async () => {
  f = await startClosedFixture();
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const perShard = <T>(shardCount: number, of: (shard: number) => T): T[] =>
  Array.from({ length: shardCount }, (_, shard) => of(shard));
/** Payees of each shard, at the places where the ledger has them. */
const placed = (shards: readonly (readonly bigint[])[]): bigint[] =>
  shards.flatMap((items, s) =>
    s === shards.length - 1 ? items : [...items, ...Array<bigint>(512 - items.length).fill(0n)],
  );
const below = (count: number) => Math.floor(Math.random() * count);
const someItems = () => perShard(1 + below(8), () => 1n + (randomElement() & (2n ** 39n - 1n)));

async function byDraws(shardCount: number, overrides: Partial<SettlementData> = {}): Promise<SettlementPart> {
  const links = perShard(shardCount, randomElement);
  const items = placed(perShard(shardCount, someItems));
  const { data } = await f.sampled({ voidCount: 0, shardCount, links, items, ...overrides });
  return { circuit: SHARDED, data };
}
async function byTables(
  shardCount: number,
  overrides: Partial<SettlementData> = {},
): Promise<SettlementPart> {
  const shardWei = perShard(shardCount, (s) => BigInt(s + 1) * OPEN);
  return f.byDefault({ shardCount, shardWei, items: placed(perShard(shardCount, someItems)), ...overrides });
}
const activation = (shardCount: number, overrides: Partial<SettlementData> = {}) =>
  f.activation({
    shardCount,
    capCircuit: SHARDED,
    cap: 20,
    shardWei: perShard(shardCount, () => 0n),
    items: placed(perShard(shardCount, (s) => perShard(1 + below(8), () => BigInt(s + 1) << 48n))),
    ...overrides,
  });

const withEntries = (
  closed: ClosedBatch,
  change: (entries: ProvenSettlementFixture[]) => readonly ProvenSettlementFixture[],
): ClosedBatch => ({ ...closed, settlements: change([...closed.settlements!]) });
const changed = (
  closed: ClosedBatch,
  index: number,
  settlement: Partial<ProvenSettlementFixture["settlement"]>,
): ClosedBatch =>
  withEntries(closed, (entries) =>
    entries.with(index, { ...entries[index]!, settlement: { ...entries[index]!.settlement, ...settlement } }),
  );
const dataOf = (closed: ClosedBatch, index: number) => closed.settlements![index]!.settlement.data;

test("L1's statements are TypeScript's, whatever the sorts, numbers and sizes of shards", async () => {
  await f.passTo(f.closingTime + 14n * DAY);
  const kinds: ((other: Partial<SettlementData>) => SettlementPart | Promise<SettlementPart>)[] = [
    (other) => f.sampled({ items: someItems(), ...other }),
    (other) => byDraws(2 + below(2), other),
    (other) => byTables(2 + below(7), other),
    (other) => f.byDefault({ items: someItems(), ...other }),
    (other) => activation(2 + below(2), { ...other, burnedWei: 0n }),
  ];
  for (let run = 0; run < 20; run++) {
    const picked = perShard(1 + below(5), () => below(kinds.length));
    const parts = await Promise.all(
      picked.map((kind, i) => kinds[kind]!({ modelId: i + 1, burnedWei: BigInt(below(9)) })),
    );
    expect(await f.attempt(await f.joined(parts)), `run ${run}: ${picked}`).toMatchObject({
      name: "accepted",
    });
  }
});

test("Attack: zeros at a shard's end, and a table's shard without items, which readers read as L1 does", async () => {
  await f.passTo(f.closingTime + 14n * DAY);
  const one = 1n << 48n;
  const parts = [
    await byDraws(2, { items: [5n], elementCounts: [2, 2] }),
    await byTables(2, { items: [5n], elementCounts: [2, 0] }),
    activation(2, { items: placed([[one], [one]]), elementCounts: [3, 2] }),
  ];
  for (const part of parts) {
    const closed = await f.joined([part]);
    expect(await f.attempt(closed)).toMatchObject({ name: "accepted" });
    const read = decodeEntries(closed.settlements!.map(({ settlement }) => hexToBytes(settlement.data)));
    expect(entryElements({ ...part.data, ...read })).toEqual(entryElements(part.data));
  }
});

describe("by draws", () => {
  test("is accepted with an entry a shard behind the draws', among others in the order of their records", async () => {
    const three = await byDraws(3);
    const one = await f.sampled({ modelId: 5 });
    const two = await byDraws(2, { modelId: 6 });
    const closed = await f.joined([three, one, two]);
    expect(closed.settlements).toHaveLength(4 + 1 + 3);
    await f.submit([closed]);
    const events = await f.rollup.getEvents.SettlementAccepted();
    expect(events.map(({ args }) => [args.modelId, args.circuit, args.isDefault])).toEqual([
      [BigInt(MODEL), SHARDED, false],
      [5n, SAMPLED, false],
      [6n, SHARDED, false],
    ]);
    expect(await f.rollup.read.ledgerWei(), "burned once each").toBe(991n * OPEN);
  });

  test("every link and item is a part of a z: each entry's own", async () => {
    const { data } = await byDraws(2);
    const good = await f.joined([{ circuit: SHARDED, data }]);
    expect(await f.attempt(good)).toMatchObject({ name: "accepted" });
    const others: Partial<SettlementData>[] = [
      { links: [data.links![0]! + 1n, data.links![1]!] },
      { links: data.links!.toReversed() },
      { items: data.items.with(0, 1n) },
      { items: data.items.with(512, 1n) },
      { burnedWei: 1n },
      { seed: data.seed + 1n },
    ];
    for (const other of others) {
      const wrong = await f.joined([{ circuit: SHARDED, data: { ...data, ...other } }]);
      for (const position of wrong.settlements!.keys()) {
        const { data: posted } = wrong.settlements![position]!.settlement;
        const isSame = posted === dataOf(good, position) && other.seed === undefined;
        if (isSame && !(other.links && position > 0)) continue;
        const forged = withEntries(good, (entries) =>
          entries.with(position, { ...entries[position]!, proof: wrong.settlements![position]!.proof }),
        );
        expect(await f.attempt(forged), `${Object.keys(other)} ${position}`).toEqual(rejected);
      }
    }
    const swapped = withEntries(good, ([draws, first, second]) => [draws!, second!, first!]);
    expect(await f.attempt(swapped)).toEqual(rejected);
  });

  test("Attack: refuses a missing entry, one of another sort, and one too many", async () => {
    const good = await f.joined([await byDraws(2)]);
    const { batchNumber } = good.content;
    expect(await f.attempt(withEntries(good, (entries) => entries.slice(0, 2)))).toEqual({
      name: "SettlementMissing",
      args: [batchNumber, BigInt(MODEL)],
    });
    expect(await f.attempt(withEntries(good, (entries) => [...entries, entries[2]!]))).toEqual({
      name: "SettlementUnused",
      args: [3n, 4n],
    });
    for (const circuit of [0, SAMPLED, PAYEE_TABLE, SHARDED])
      expect(await f.attempt(changed(good, 2, { circuit })), `${circuit}`).toMatchObject({
        name: "SettlementSortInvalid",
      });
    expect(await f.attempt(changed(good, 1, { circuit: 8 }))).toMatchObject({
      name: "VerifierCircuitUnknown",
    });
    expect(await f.attempt(changed(good, 0, { circuit: SHARD }))).toEqual({
      name: "SettlementSortInvalid",
      args: [BigInt(SHARD), 5n, BigInt(KIND.settle)],
    });
    // A pre-verified settlement brings no proof, so a shard cannot be pre-verified.
    const empty = { ...good.settlements![1]!, isPreVerified: true };
    expect((await f.attempt(withEntries(good, (entries) => entries.with(1, empty)))).name).toMatch(
      /^(SettlementSortInvalid|SettlementDataLengthInvalid)$/,
    );
  });

  test("refuses shards beyond the circuit's, none, one, and more than eight", async () => {
    const good = await f.joined([await byDraws(3)]);
    const bytes = dataOf(good, 0).slice(2);
    for (const shardCount of [0, 1, 4, 8, 9, 255]) {
      const data =
        `0x${bytes.slice(0, 44)}${numberToHex(shardCount, { size: 1 }).slice(2)}${bytes.slice(46)}` as Hex;
      const padded = withEntries(changed(good, 0, { data }), (entries) => [
        ...entries,
        ...perShard(5, () => entries[1]!),
      ]);
      expect(await f.attempt(padded), `${shardCount}`).toEqual({
        name: "SettlementShardCountInvalid",
        args: [BigInt(shardCount)],
      });
    }
    const one = await f.joined([await f.sampled()]);
    const two = dataOf(one, 0).slice(2);
    const asTwo = changed(one, 0, { data: `0x${two.slice(0, 44)}02${two.slice(46)}` });
    expect(await f.attempt(asTwo), "a circuit of one shard").toMatchObject({
      name: "SettlementShardCountInvalid",
    });
  });

  test("refuses links and commitments that are not below r, and bytes of another length", async () => {
    const good = await f.joined([await byDraws(2, { links: [7n, 8n] })]);
    const link = numberToHex(FIELD_ORDER + 8n, { size: 32 }).slice(2);
    const over = changed(good, 0, { data: `${dataOf(good, 0).slice(0, -64)}${link}` as Hex });
    expect(await f.attempt(over)).toMatchObject({ name: "RollupElementOutOfField" });
    const commitment = good.settlements![2]!.settlement.commitment + FIELD_ORDER;
    expect(await f.attempt(changed(good, 2, { commitment }))).toMatchObject({
      name: "RollupElementOutOfField",
    });
    for (const data of [`${dataOf(good, 0)}00`, dataOf(good, 0).slice(0, -64)] as Hex[])
      expect(await f.attempt(changed(good, 0, { data }))).toMatchObject({
        name: "SettlementDataLengthInvalid",
      });
    for (const data of [`${dataOf(good, 1)}00`, `${dataOf(good, 1)}${"00".repeat(29)}`] as Hex[])
      expect(await f.attempt(changed(good, 1, { data }))).toMatchObject({
        name: "SettlementDataLengthInvalid",
      });
    expect(await f.attempt(changed(good, 1, { data: `0x${"00".repeat(90)}` }))).toEqual({
      name: "SettlementPayeeCountExceeded",
      args: [3n, 2n],
    });
  });

  test("is pre-verified whole, and taken by one record without data", async () => {
    await f.passTo(f.closingTime + 3n * DAY);
    const part = await byDraws(3);
    const entries = f.proveEntries([SHARDED, SHARD, SHARD, SHARD], part.data);
    const attempt = (input: readonly ProvenSettlementFixture[]) =>
      revertOf(
        f.rollup.simulate.preVerifySettlement(preVerifyArguments(part.data, ...input), {
          account: f.roles.stranger,
        }),
      );
    const missing = { name: "SettlementMissing", args: [0n, BigInt(MODEL)] };
    expect(await attempt([])).toEqual(missing);
    expect(await attempt(entries.slice(0, 3))).toEqual(missing);
    expect(await attempt([...entries, entries[3]!])).toEqual({ name: "SettlementUnused", args: [4n, 5n] });
    expect(await attempt(entries.with(2, { ...entries[2]!, proof: entries[1]!.proof }))).toEqual(rejected);
    await f.preVerify(part);
    const [event] = await f.rollup.getEvents.SettlementPreVerified();
    expect(event?.args.entries?.map(({ circuit }) => circuit)).toEqual([SHARDED, SHARD, SHARD, SHARD]);
    expect(event?.args.proofs).toHaveLength(4);
    const other = await byDraws(2, { modelId: 5 });
    await f.submit([await f.joined([{ ...part, isPreVerified: true }, other])]);
    expect((await f.rollup.getEvents.PreVerifiedSettlementTaken())[0]?.args.word).toBe(
      part.data.settlementHash,
    );
  });
});

describe("by payee tables", () => {
  test("splits by row counts with an entry a shard, each of which shows all sums", async () => {
    await f.passTo(f.closingTime + 14n * DAY);
    for (const shardCount of [2, 3, 8])
      expect(await f.attempt(await f.joined([await byTables(shardCount)]))).toMatchObject({
        name: "accepted",
      });
    const { data } = await byTables(2);
    const good = await f.joined([{ circuit: PAYEE_TABLE, data }]);
    // The first shard's wei go to the second: its own proof would allow it, the first's does not.
    const more = await f.joined([{ circuit: PAYEE_TABLE, data: { ...data, shardWei: [OPEN, 3n * OPEN] } }]);
    expect(await f.attempt(withEntries(good, ([first]) => [first!, more.settlements![1]!]))).toEqual(
      rejected,
    );
    const swapped = withEntries(good, ([first, second]) => [second!, first!]);
    expect((await f.attempt(swapped)).name).toMatch(/^Settlement/);
    await f.submit([await f.joined([await byTables(3), await byTables(2, { modelId: 5 })])]);
    const events = await f.rollup.getEvents.SettlementAccepted();
    expect(events.map(({ args }) => args.isDefault)).toEqual([true, true]);
  });

  test("refuses sums beyond 96 bits, missing ones, and other circuits", async () => {
    await f.passTo(f.closingTime + 14n * DAY);
    const max = await byTables(2, { shardWei: [2n ** 95n, 2n ** 95n - 1n] });
    expect(await f.attempt(await f.joined([max]))).toMatchObject({ name: "accepted" });
    const over = { ...max, data: { ...max.data, shardWei: [2n ** 95n, 2n ** 95n] } };
    expect(await f.attempt(await f.joined([over]))).toEqual({
      name: "SettlementSumExceeded",
      args: [2n ** 96n],
    });
    const good = await f.joined([await byTables(3)]);
    expect(await f.attempt(changed(good, 1, { data: "0x0011" }))).toEqual({
      name: "SettlementDataLengthInvalid",
      args: [2n],
    });
    for (const circuit of [SAMPLED, SHARD])
      expect(await f.attempt(changed(good, 2, { circuit }))).toMatchObject({ name: "SettlementSortInvalid" });
    expect(await f.attempt(withEntries(good, (entries) => entries.slice(0, 2)))).toMatchObject({
      name: "SettlementMissing",
    });
  });
});

describe("an activation", () => {
  test("names a circuit of draws with as many shards, whose payments are its cap", async () => {
    const good = await f.joined([activation(3)]);
    await f.submit([good]);
    const [event] = await f.rollup.getEvents.ActivationAccepted();
    expect(event?.args).toMatchObject({ circuit: PAYEE_TABLE, settlementCircuit: SHARDED, cap: 20 });
    expect(await f.attempt(await f.joined([activation(2, { cap: 21 })]))).toEqual(rejected);
    for (const [shardCount, capCircuit] of [
      [4, SHARDED],
      [2, SAMPLED],
      [2, SHARD],
    ] as const)
      expect(await f.attempt(await f.joined([activation(shardCount, { capCircuit })]))).toEqual({
        name: "SettlementCapInvalid",
        args: [BigInt(capCircuit)],
      });
    expect(await f.attempt(await f.joined([f.activation({ capCircuit: SHARDED, cap: 20 })]))).toMatchObject({
      name: "SettlementCapInvalid",
    });
  });

  test("has no payee beyond the table's circuit in any shard", async () => {
    const nine = perShard(10, () => 1n << 48n);
    const items = placed([[1n << 48n], nine]);
    expect(await f.attempt(await f.joined([activation(2, { items })]))).toEqual({
      name: "SettlementPayeeCountExceeded",
      args: [4n, 3n],
    });
  });
});
