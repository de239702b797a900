/** A rollup that asks a gate before it takes an Activation (docs/reference/invariants.md, I16): the registry, and hostile gates. */

import type { SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { getAddress, type Hex, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Anvil, startAnvil } from "../../l1/anvil.ts";
import { type Gate, startGate } from "../../testing/gate-fixture.ts";
import { connect, deployFixture, OPEN, revertOf, SHAPES } from "../../testing/rollup-fixture.ts";
import {
  MODEL,
  PAYEE_TABLE,
  SETTLEMENT_SIZES,
  SHARDED,
  settlementActions,
} from "../../testing/settlement-fixture.ts";

const CAP = 16;
const SHARDED_CAP = 20;
/** The draws' circuit has room for all the shards that a model can have. */
const SIZES = SETTLEMENT_SIZES.map((size, i) => (i === SHARDED - 3 ? { ...size, size1: 8 } : size));
let anvil: Anvil;
let client: Awaited<ReturnType<typeof connect>>;
let f: Awaited<ReturnType<typeof gated>>;
let gate: Gate;

/** A rollup that asks this gate. */
async function gated(activationGate: Hex) {
  const fixture = await deployFixture(client, { activationGate }, SHAPES, SIZES);
  await fixture.fund("alice", 100n * OPEN);
  return { ...fixture, ...settlementActions(fixture) };
}

beforeAll(async () => {
  anvil = await startAnvil();
  client = await connect(anvil);
  gate = await startGate(client);
  f = await gated(gate.address);
});
afterAll(() => anvil?.stop());

async function attempt(
  rollup: typeof f,
  settlementHash: bigint,
  modelId = MODEL,
  overrides: Partial<SettlementData> = {},
) {
  const data = rollup.activationData({ settlementHash, modelId, ...overrides });
  return revertOf(rollup.trySubmit([await rollup.joined([{ circuit: PAYEE_TABLE, data }])]));
}

describe("a rollup with a gate", () => {
  test("takes no Activation that the gate does not admit, and that very one once it does", async () => {
    expect(await f.rollup.read.activationGate()).toBe(getAddress(gate.address));
    const word = gate.wordOf(MODEL, CAP);
    const refused = { name: "SettlementNotAdmitted", args: [BigInt(MODEL), word] };
    expect(await attempt(f, word)).toEqual(refused);
    await gate.admit(MODEL, CAP);
    expect(await attempt(f, word)).toMatchObject({ name: "accepted" });
    // Another model with that word, another cap, another word.
    expect(await attempt(f, word, MODEL + 1)).toMatchObject({ name: "SettlementNotAdmitted" });
    expect(await attempt(f, gate.wordOf(MODEL, CAP + 1))).toMatchObject({ name: "SettlementNotAdmitted" });
    expect(await attempt(f, word + 1n)).toMatchObject({ name: "SettlementNotAdmitted" });
  });

  test.each([2, 8])(
    "takes the Activation of an admitted model of %i shards, in their order",
    async (shardCount) => {
      const columns = Array.from({ length: shardCount }, (_, s) => BigInt(100 * shardCount + s));
      const overrides = {
        ...{ shardCount, capCircuit: SHARDED, cap: SHARDED_CAP, shardWei: columns.map(() => 0n) },
        items: Array.from({ length: 512 * (shardCount - 1) + 1 }, (_, m) => (m % 512 === 0 ? 1n << 48n : 0n)),
      };
      const [model, word] = [MODEL + shardCount, gate.wordOf(MODEL + shardCount, SHARDED_CAP, columns)];
      const of = (other: bigint) => attempt(f, other, model, overrides);
      expect(await of(word)).toMatchObject({ name: "SettlementNotAdmitted" });
      // All others that can be shown, and are about other statics.
      const [first, second, ...rest] = columns as [bigint, bigint, ...bigint[]];
      const others = [
        [second, first, ...rest],
        columns.slice(1),
        columns.slice(0, -1),
        [...columns, 0n].slice(-8),
      ];
      for (const other of others) {
        await gate.admit(model, SHARDED_CAP, other);
        expect(await of(word), `${other}`).toMatchObject({ name: "SettlementNotAdmitted" });
      }
      await gate.admit(model, SHARDED_CAP, columns);
      expect(await of(word)).toMatchObject({ name: "accepted" });
      // A model with one shard that promises a window.
      for (const marked of [0, shardCount - 1]) {
        const promised = gate.wordOf(model, SHARDED_CAP, columns, marked);
        expect(await of(promised)).toMatchObject({ name: "SettlementNotAdmitted" });
      }
    },
  );

  test("admits no model without shards, or with nine", async () => {
    for (const count of [0, 9]) {
      const columns = Array.from({ length: count }, (_, s) => BigInt(s + 1));
      const refused = { name: "LedgerMathShardsInvalid", args: [BigInt(count)] };
      expect(await revertOf(gate.admit(MODEL, CAP, columns))).toEqual(refused);
    }
  });

  test("asks about nothing but an Activation", async () => {
    const closingBatch = await f.closeEpoch();
    await f.recordRandomness(closingBatch);
    const settlement = { circuit: 3, data: await f.settlementData(closingBatch) };
    expect(await revertOf(f.trySubmit([await f.joined([settlement])]))).toMatchObject({ name: "accepted" });
  });
});

describe("a gate that is none", () => {
  /** A contract with this code. */
  async function contractOf(runtime: string): Promise<Hex> {
    const [deployer] = await client.getAddresses();
    const size = toHex(runtime.length / 2, { size: 1 }).slice(2);
    const data = `0x60${size}806009${"5f395ff3"}${runtime}` as Hex;
    const hash = await client.sendTransaction({ account: deployer!, data });
    return (await client.getTransactionReceipt({ hash })).contractAddress!;
  }

  test.each([
    ["reverts", "5f5ffd"],
    ["says 2", "60025f5260205ff3"],
    ["says 1 in 31 bytes", "60015f52601f6001f3"],
    ["says nothing", "00"],
    // A static call cannot write: the call fails.
    ["writes", "6001805560015f5260205ff3"],
  ])("admits nothing where it %s", async (_, runtime) => {
    const rollup = await gated(await contractOf(runtime));
    expect(await attempt(rollup as never, 5n)).toMatchObject({ name: "SettlementNotAdmitted" });
  });

  test("is not deployed with where it has no code", async () => {
    const nobody = `0x${"12".repeat(20)}` as Hex;
    expect(await revertOf(gated(nobody))).toMatchObject({ name: "RollupConfigInvalid" });
  });
});
