import { FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import {
  encodeSettlement,
  type SettlementData,
  settlementElements,
} from "@openledger/circuits/settlement/settlement-data";
import { bytesToHex, concatHex, encodeFunctionData, type Hex, hexToBytes, numberToHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rollupAbi } from "../../build/rollup-abi.ts";
import { revertEachTest } from "../../testing/chain.ts";
import { type ClosedBatch, OPEN, revertOf, slot, submission } from "../../testing/rollup-fixture.ts";
import {
  type ClosedFixture,
  MODEL,
  PAYEE_TABLE,
  SAMPLED,
  SAMPLED_FEW_PAYEES,
  settleSlot,
  startClosedFixture,
} from "../../testing/settlement-fixture.ts";

let f: ClosedFixture;

beforeAll(async () => {
  f = await startClosedFixture();
});
afterAll(() => f?.stop());
revertEachTest(() => f);

/** Posts other bytes than those that were proven. */
const withSettlementData = (closed: ClosedBatch, data: Uint8Array): ClosedBatch => {
  const [first, ...others] = closed.settlements!;
  return {
    ...closed,
    settlements: [{ ...first!, settlement: { ...first!.settlement, data: bytesToHex(data) } }, ...others],
  };
};
describe("Settle", () => {
  test("is accepted with its settlement; what it burns leaves the ledger (I1)", async () => {
    const part = await f.sampled();
    await f.submit([await f.joined([part])]);
    expect(await f.rollup.read.ledgerWei()).toBe(997n * OPEN);
    expect(await f.rollup.read.burnableWei()).toBe(4n * OPEN);
    const { batchNumber } = await f.rollup.read.state();
    const [event] = await f.rollup.getEvents.SettlementAccepted();
    expect(event?.args).toEqual({
      modelId: BigInt(MODEL),
      batchNumber: BigInt(batchNumber),
      epoch: Number(part.data.epoch),
      circuit: SAMPLED,
      voidCount: 2,
      burnedWei: 3n * OPEN,
      isDefault: false,
    });
    expect(await f.rollup.getEvents.SettlementData()).toEqual([]);
    const supply = await f.token.read.totalSupply();
    await f.rollup.write.burnAccrued({ account: f.roles.stranger });
    expect(await f.token.read.totalSupply()).toBe(supply - 4n * OPEN);
  });

  test("is accepted at every field's limits, with no slot and with the circuit's last", async () => {
    for (const items of [[], [2n ** 40n - 1n], Array<bigint>(8).fill(2n ** 40n - 1n)]) {
      const part = await f.sampled({
        settlementHash: FIELD_ORDER - 1n,
        modelId: 2 ** 24 - 1,
        epoch: 2n ** 24n - 1n,
        voidCount: 255,
        chain: FIELD_ORDER - 1n,
        items,
      });
      expect(await f.attempt(await f.joined([part])), `${items.length} items`).toMatchObject({
        name: "accepted",
      });
    }
  });

  test("rejects what burns more than the ledger holds, whatever was proven (I2)", async () => {
    expect(await f.attempt(await f.joined([await f.sampled({ burnedWei: 1_000n * OPEN })]))).toMatchObject({
      name: "accepted",
    });
    for (const burnedWei of [1_000n * OPEN + 1n, 2n ** 96n - 1n]) {
      expect(await f.attempt(await f.joined([await f.sampled({ burnedWei })]))).toEqual({
        name: "RollupLedgerExceeded",
        args: [burnedWei, 1_000n * OPEN],
      });
    }
  });

  test("every element is a part of z, and L1 fills its own from the record, the close and the circuit", async () => {
    const { data } = await f.sampled();
    const good = await f.joined([{ circuit: SAMPLED, data }]);
    expect(await f.attempt(good)).toMatchObject({ name: "accepted" });
    expect(settlementElements(data)).toHaveLength(6);
    // A proof for another model, epoch, batch, chain, amount, seed, total … than what is posted or known.
    const others: Partial<SettlementData>[] = [
      { settlementHash: data.settlementHash + 1n },
      { modelId: MODEL + 1 },
      { epoch: data.epoch + 1n },
      { closingBatch: data.closingBatch + 1n },
      { voidCount: 3 },
      { isActivation: true },
      { chain: data.chain + 1n },
      { burnedWei: data.burnedWei - 1n },
      { cap: 16 },
      { seed: data.seed + 1n },
      { seed: 0n },
      { items: data.items.with(0, 12n) },
      { items: data.items.with(3, 45n) },
      { items: data.items.slice(0, 2) },
      { items: [...data.items, 1n] },
    ];
    for (const other of others) {
      const { proof } = f.proveSettlementFixture(
        SAMPLED,
        { ...data, ...other },
        good.settlements![0]!.settlement,
      );
      const forged = { ...good, settlements: [{ ...good.settlements![0]!, proof }] };
      expect(await f.attempt(forged), JSON.stringify(Object.keys(other))).toEqual({
        name: "VerifierProofRejected",
        args: [],
      });
    }
  });

  test("rejects a change of any byte of the posted settlement", async () => {
    const good = await f.joined([await f.sampled()]);
    const data = hexToBytes(good.settlements![0]!.settlement.data);
    for (const position of data.keys()) {
      const changed = withSettlementData(good, data.with(position, data[position]! ^ 1));
      expect((await f.attempt(changed)).name, `byte ${position}`).toMatch(
        /^(VerifierProofRejected|Settlement(RandomnessMissing|CapInvalid|ShardCountInvalid)|Rollup(LedgerExceeded|ElementOutOfField))$/,
      );
    }
  });

  test("rejects missing and trailing bytes", async () => {
    const good = await f.joined([await f.sampled()]);
    const data = hexToBytes(good.settlements![0]!.settlement.data);
    // None is what takes a pre-verified one, and there is a proof too many.
    expect(await f.attempt(withSettlementData(good, data.slice(0, 0)))).toMatchObject({
      name: "RollupProofCountMismatch",
    });
    for (let length = 3; length < data.length; length += 3) {
      const isWhole = length >= 55 && (length - 55) % 30 === 0;
      expect(
        await f.attempt(withSettlementData(good, data.slice(0, length))),
        `${length} bytes`,
      ).toMatchObject({ name: isWhole ? "VerifierProofRejected" : "SettlementDataLengthInvalid" });
    }
    // One slot element of zeros more says nothing else, but is not what was proven.
    for (const [extra, name] of [
      [1, "SettlementDataLengthInvalid"],
      [30, "VerifierProofRejected"],
      [60, "SettlementPayeeCountExceeded"],
    ] as const) {
      const longer = Uint8Array.of(...data, ...new Uint8Array(extra));
      expect((await f.attempt(withSettlementData(good, longer))).name, `${extra} more`).toBe(name);
    }
  });

  test("rejects more slots than its circuit has", async () => {
    const items = Array<bigint>(13).fill(1n);
    const part = await f.sampled({ items });
    expect(await f.attempt(await f.joined([part]))).toEqual({
      name: "SettlementPayeeCountExceeded",
      args: [3n, 2n],
    });
    const few = { ...part, circuit: SAMPLED_FEW_PAYEES, data: { ...part.data, items: items.slice(0, 7) } };
    expect(await f.attempt(await f.joined([few]))).toEqual({
      name: "SettlementPayeeCountExceeded",
      args: [2n, 1n],
    });
  });

  test("rejects a chain, a commitment and a word that are not below r", async () => {
    const { data } = await f.sampled({ chain: 7n });
    const good = await f.joined([{ circuit: SAMPLED, data }]);
    expect(await f.attempt(good)).toMatchObject({ name: "accepted" });
    for (const chain of [FIELD_ORDER, FIELD_ORDER + 7n, 2n ** 256n - 1n]) {
      const posted = encodeSettlement({ ...data, chain });
      expect(await f.attempt(withSettlementData(good, posted))).toEqual({
        name: "RollupElementOutOfField",
        args: [],
      });
    }
    const [first] = good.settlements!;
    const commitment = first!.settlement.commitment + FIELD_ORDER;
    const over = { ...first!, settlement: { ...first!.settlement, commitment } };
    expect(await f.attempt({ ...good, settlements: [over] })).toMatchObject({
      name: "RollupElementOutOfField",
    });
    const word = numberToHex(data.settlementHash + FIELD_ORDER, { size: 32 });
    const wire = concatHex([good.batch.data.slice(0, -64) as Hex, word]);
    expect(await f.attempt({ ...good, batch: { ...good.batch, data: wire } })).toMatchObject({
      name: "RollupElementOutOfField",
    });
  });

  test("rejects a record without settlement and a settlement without record", async () => {
    const part = await f.sampled();
    const good = await f.joined([part, await f.sampled({ modelId: 5 })]);
    expect(await f.attempt(good)).toMatchObject({ name: "accepted" });
    const { batchNumber } = good.content;
    expect(await f.attempt({ ...good, settlements: good.settlements!.slice(0, 1) })).toEqual({
      name: "SettlementMissing",
      args: [batchNumber, 5n],
    });
    expect(await f.attempt({ ...good, settlements: [] })).toEqual({
      name: "SettlementMissing",
      args: [batchNumber, BigInt(MODEL)],
    });
    const surplus = f.proveSettlementFixture(SAMPLED, part.data);
    expect(await f.attempt({ ...good, settlements: [...good.settlements!, surplus] })).toEqual({
      name: "SettlementUnused",
      args: [2n, 3n],
    });
    const idle = { ...f.close(await f.draft()), settlements: [surplus] };
    expect(await f.attempt(idle)).toEqual({ name: "SettlementUnused", args: [0n, 1n] });
  });

  test("rejects settlements in another order, and another number of proofs", async () => {
    const good = await f.joined([await f.sampled(), await f.sampled({ modelId: 5 })]);
    expect(await f.attempt({ ...good, settlements: good.settlements!.toReversed() })).toMatchObject({
      name: "VerifierProofRejected",
    });
    const [batches, settlements, proofs] = submission([good]);
    for (const some of [proofs.slice(0, 2), [...proofs, proofs[0]!]]) {
      const call = f.rollup.simulate.submitBatches([batches, settlements, some], {
        account: f.roles.sequencer,
      });
      expect(await revertOf(call)).toEqual({
        name: "RollupProofCountMismatch",
        args: [3n, BigInt(some.length)],
      });
    }
  });

  test("takes settlements across batches in the order of their records, among other slots", async () => {
    const wide = async (modelId: number) => {
      const part = await f.sampled({ modelId, burnedWei: BigInt(modelId) });
      const records = [
        slot(KIND.publishVersion, [1n, 2n, 3n, 4n, 5n], { a: 2 }),
        slot(KIND.null),
        settleSlot(part.data.settlementHash, modelId),
        slot(KIND.withdraw, [BigInt(f.roles.bob), OPEN], { a: 2 }),
      ];
      return { part, records };
    };
    const [first, second] = [await wide(3), await wide(4)];
    const one = await f.joined([first.part], { wide: first.records });
    const idle = f.close(await f.draft({ after: one.content }));
    const two = await f.joined([second.part], { wide: second.records, after: idle.content });
    await f.submit([one, idle, two]);
    expect(await f.rollup.read.burnableWei()).toBe(OPEN + 7n);
    expect(await f.rollup.read.ledgerWei()).toBe(998n * OPEN - 7n);
    const events = await f.rollup.getEvents.SettlementAccepted();
    expect(events.map(({ args }) => [args.modelId, args.batchNumber])).toEqual([
      [3n, one.content.batchNumber],
      [4n, two.content.batchNumber],
    ]);
  });

  test("rejects a record whose leaf A is not the treasury", async () => {
    const { data } = await f.sampled();
    const record = { ...settleSlot(data.settlementHash), a: 1 };
    const batch = await f.joined([{ circuit: SAMPLED, data }], { wide: [record] });
    expect(await f.attempt(batch)).toEqual({ name: "SettlementLeafInvalid", args: [BigInt(MODEL), 1n] });
  });

  test("rejects a circuit of another sort, for a settlement and for a batch", async () => {
    const { data } = await f.sampled();
    const sorts = (circuit: number) => f.joined([{ circuit, data }]);
    expect(await f.attempt(await sorts(0))).toEqual({
      name: "SettlementSortInvalid",
      args: [0n, 0n, BigInt(KIND.settle)],
    });
    const asBatch = f.close(await f.draft());
    for (const [circuit, sort] of [
      [SAMPLED, 1n],
      [PAYEE_TABLE, 2n],
    ] as const) {
      expect(await f.attempt({ ...asBatch, batch: { ...asBatch.batch, circuit } })).toEqual({
        name: "RollupCircuitSortInvalid",
        args: [BigInt(circuit), sort],
      });
    }
    const [first] = (await sorts(SAMPLED)).settlements!;
    const unknown = { ...first!, settlement: { ...first!.settlement, circuit: 8 } };
    expect(await f.attempt({ ...(await sorts(SAMPLED)), settlements: [unknown] })).toEqual({
      name: "VerifierCircuitUnknown",
      args: [8n, 8n],
    });
  });

  test("rejects a proof of another settlement circuit, and a bad one", async () => {
    const good = await f.joined([await f.sampled({ items: [1n, 2n] })]);
    const [first] = good.settlements!;
    const other = { ...first!, settlement: { ...first!.settlement, circuit: SAMPLED_FEW_PAYEES } };
    for (const settlements of [[other], [{ ...first!, proof: good.proof }]]) {
      expect(await f.attempt({ ...good, settlements })).toMatchObject({ name: "VerifierProofRejected" });
    }
  });

  test("rejects a settlement that names a cap circuit", async () => {
    expect(await f.attempt(await f.joined([await f.sampled({ capCircuit: SAMPLED })]))).toEqual({
      name: "SettlementCapInvalid",
      args: [BigInt(SAMPLED)],
    });
  });

  test("by draws needs randomness that was recorded for its own close", async () => {
    const later = await f.closeEpoch();
    for (const unknown of [later, later + 1n, 0n, f.closingBatch - 1n]) {
      const part = { circuit: SAMPLED, data: await f.settlementData(unknown) };
      expect(await f.attempt(await f.joined([part]))).toEqual({
        name: "SettlementRandomnessMissing",
        args: [unknown],
      });
    }
    await f.recordRandomness(later);
    const part = { circuit: SAMPLED, data: await f.settlementData(later) };
    expect(await f.attempt(await f.joined([part]))).toMatchObject({ name: "accepted" });
  });

  test("emits the posted data where the transaction's input may not hold it", async () => {
    const part = await f.sampled();
    const closed = await f.joined([part]);
    const input = encodeFunctionData({
      abi: rollupAbi,
      functionName: "submitBatches",
      args: submission([closed]),
    });
    // The sequencer as a contract that passes its input on.
    const forwarder = f.roles.sequencer;
    const code = [
      "0x365f5f375f5f365f5f73",
      f.deployment.rollup,
      "0x5af13d5f5f3e602a573d5ffd5b3d5ff3",
    ] as const;
    await f.client.setCode({ address: forwarder, bytecode: concatHex([...code]) });
    await f.client.sendTransaction({ account: f.roles.stranger, to: forwarder, data: input });
    const [event] = await f.rollup.getEvents.SettlementData();
    expect(event?.args).toEqual({
      batchNumber: closed.content.batchNumber,
      modelId: BigInt(MODEL),
      data: closed.settlements![0]!.settlement.data,
    });
    expect((await f.rollup.getEvents.BatchData())[0]?.args.data).toBe(closed.batch.data);
  });
});
