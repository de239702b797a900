import { describe, expect, it } from "vitest";
import { compileCircuit } from "../compiler/compile.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { leafHead, unpackCounters } from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  accruedPath,
  claimedPath,
  claimedPosition,
  type PayeeRole,
  payeeLeaf,
  shardOwners,
  unpackSplit,
} from "../ledger/rewards.ts";
import { TREASURY_ID } from "../protocol.ts";
import { payeeExitCircuitSpec } from "../registry/circuit-registry.ts";
import { TableBuilder } from "../table/table-builder.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { acceptedExit, differingElements, exitInputs, exitWorld, MODEL_ID } from "../testing/exit-world.ts";
import { expectRefusedBy } from "../testing/forgeries/refusal-check.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { SAMPLE_SHAPE } from "../testing/sample-shape.ts";
import { inSlots } from "../testing/settlement/shard-epochs.ts";
import type { PreparedExit } from "./exit-statement.ts";
import { earnedByDefault, leafExit, payeeExit } from "./exit-statement.ts";

const PAYEES = 4;
const ROLES: readonly PayeeRole[] = [0, 1];
await initPoseidon();
const tester = await CircuitTester.compileSpec(payeeExitCircuitSpec(PAYEES));

const exitOf = (ledger: Ledger, payeeIndex: number, role: PayeeRole) =>
  payeeExit(ledger, MODEL_ID, payeeIndex, role, PAYEES);
const differing = (inputs: CircuitInputs, exit: PreparedExit) =>
  differingElements(tester, inputs, exit, "main.amountWei");

const expectRefused = (inputs: CircuitInputs, at: string, what: string) =>
  expectRefusedBy(tester, inputs, at, what);

const TABLE = "PayeeExit: own.out === table.ownersCommitment;";
const OPENS = "NodeRead8: bits[2] * (at1[1] - at1[0]) === child - at1[0];";

/** Three payees, a closed and an open amount, half of all shares claimed. */
const plain = () =>
  exitWorld(6, {
    rowCounts: [2, 3, 1],
    openAmount: 10n ** 18n + 7n,
    closedWei: 3n * 10n ** 18n + 1n,
    accruedWei: [5n * 10n ** 18n, 10n ** 18n + 3n, 10n ** 17n],
    claimedParts: 128n,
  });

describe("PayeeExit", () => {
  it("equals the rules on random ledgers", async () => {
    expect(tester.constraintCount).toBe(recordedCount("PayeeExit(8, 4)"));
    for (let seed = 1; seed <= 6; seed++) {
      const ledger = exitWorld(seed);
      const { payees } = ledger.requireLeaf(MODEL_ID).rewards!;
      for (const payeeIndex of payees.keys()) {
        for (const role of ROLES) {
          const exit = exitOf(ledger, payeeIndex, role);
          const witness = await acceptedExit(tester, exit);
          expect(tester.checkConstraints(witness)).toBeNull();
          const ownerId = role === 0 ? payees[payeeIndex]!.contributorId : payees[payeeIndex]!.validatorId;
          expect(exit.recipient).toBe(ledger.requireLeaf(ownerId).leaf.l1Owner);
          expect(exit.key).toBe(
            BigInt(MODEL_ID) + BigInt(payeeIndex) * 2n ** 24n + BigInt(role) * 2n ** 36n + 2n ** 37n,
          );
        }
      }
    }
  });

  it("equals the rules on ledgers that operations have made, and leaves no more than they owe", {
    timeout: 300_000,
  }, async () => {
    const seen = { closed: 0, open: 0, claimed: 0, accrued: 0 };
    // Two worlds, and more until everything was met.
    for (let seed = 5; seed < 7 || (seed < 20 && Object.values(seen).includes(0)); seed++) {
      const world = new RandomLedger(seed, 8);
      for (let i = 1; i <= 32; i++) {
        world.fill(new TableBuilder(world.ledger, world.opening(SAMPLE_SHAPE)), SAMPLE_SHAPE);
        // Epochs do not stay closed for long.
        const isClosed = [...world.ledger.leaves.values()].some(({ rewards }) => rewards?.closed != null);
        if (i % 8 !== 0 && !(isClosed && seen.closed < 4)) continue;
        let leaving = 0n;
        for (const [id, { leaf, rewards, model }] of world.ledger.leaves) {
          leaving += leafExit(world.ledger, id).amountWei;
          if (model === undefined || !unpackCounters(leaf.counters).isReady) continue;
          seen.closed += Number(rewards!.closed !== null);
          seen.open += Number(leaf.openAmount > 0n);
          for (const payeeIndex of rewards!.payees.keys()) {
            for (const role of ROLES) {
              const exit = payeeExit(world.ledger, id, payeeIndex, role, PAYEES);
              await acceptedExit(tester, exit);
              leaving += exit.amountWei;
              seen.claimed += Number((rewards!.claimedWei[claimedPosition(payeeIndex, role)] ?? 0n) > 0n);
            }
            seen.accrued += Number((rewards!.accruedWei[payeeIndex] ?? 0n) > 0n);
          }
        }
        expect(leaving).toBeLessThanOrEqual(world.ledger.totalWei());
      }
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(0);
  });

  it("has the recorded size for the largest table, below 2^16", async () => {
    const { constraintCounts: counts } = await compileCircuit(payeeExitCircuitSpec(512));
    expect(counts.nonLinear + counts.linear).toBe(recordedCount("PayeeExit(8, 512)"));
    expect(counts.nonLinear + counts.linear).toBeLessThan(2 ** 16);
  });

  it("notices every altered wire", async () => {
    for (const [ledger, payeeIndex, role] of [
      [plain(), 1, 1],
      [exitWorld(2, { closedWei: 0n, openAmount: 0n }), 0, 0],
    ] as const) {
      const witness = await acceptedExit(tester, exitOf(ledger, payeeIndex, role));
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("takes the largest amounts, one row, nothing at all, and everything claimed", async () => {
    const max = 2n ** 96n - 1n;
    // One and a half times the maximum amount, half for each role.
    const halves = { split: { ownerParts: 0n, validatorParts: 32_768n }, openAmount: max, closedWei: 0n };
    const one = exitWorld(7, { ...halves, rowCounts: [1], accruedWei: [2n ** 95n] });
    for (const role of ROLES) await acceptedExit(tester, exitOf(one, 0, role));
    const largest = { split: { ownerParts: 0n, validatorParts: 65_535n }, openAmount: max, closedWei: max };
    const rich = exitWorld(7, { rowCounts: [1, 2 ** 32 - 2], accruedWei: [0n, 0n], ...largest });
    for (const role of ROLES) await acceptedExit(tester, exitOf(rich, 0, role));
    const idle = { openAmount: 0n, closedWei: 0n, claimedParts: 256n };
    const empty = exitOf(exitWorld(8, idle), 0, 1);
    expect(empty.amountWei).toBe(0n);
    await acceptedExit(tester, empty);
  });

  it("refuses an amount of 97 bits", async () => {
    const rich = exitWorld(9, { rowCounts: [1], accruedWei: [2n ** 98n], claimedParts: 0n });
    const parts = unpackSplit(rich.requireLeaf(MODEL_ID).model!.statics.split).validatorParts;
    const role = parts > 32_768n ? 1 : 0;
    await expectRefused(exitInputs(exitOf(rich, 0, role)), "RangeCheck", "more than there can be");
  });

  it("leaves what a default settlement gives nobody in a payee, and not a wei more", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const ledger = exitWorld(seed);
      const { leaf, model, rewards } = ledger.requireLeaf(MODEL_ID);
      let left = 0n;
      for (const id of ledger.leaves.keys()) left += leafExit(ledger, id).amountWei;
      for (const payeeIndex of rewards!.payees.keys())
        for (const role of ROLES) left += exitOf(ledger, payeeIndex, role).amountWei;
      const amounts = [leaf.openAmount, rewards!.closed?.amountWei ?? 0n];
      const stays = amounts
        .map((wei) =>
          rewards!.payees.reduce(
            (rest, payee) => rest - earnedByDefault(model!.statics, payee.rowCount, wei),
            wei,
          ),
        )
        .reduce((sum, wei) => sum + wei);
      expect(left + stays).toBe(ledger.totalWei());
      expect(stays * 65_536n).toBeGreaterThanOrEqual(
        3_277n * amounts.reduce((sum, wei) => sum + wei) - 2n * 65_536n,
      );
    }
  });
});

describe("forged payee exits", () => {
  it("other leaves' paths, other roots", async () => {
    const ledger = plain();
    const exit = exitOf(ledger, 0, 0);
    const inputs = exitInputs(exit);
    expect(await differing(inputs, exit)).toEqual([]);
    const other = exitWorld(60, { rowCounts: [2, 3, 1] });
    const elsewhere = exitInputs(exitOf(other, 0, 0));
    await expectRefused(
      { ...inputs, modelChildren: elsewhere.modelChildren! },
      OPENS,
      "another model's path",
    );
    await expectRefused(
      { ...inputs, ownerChildren: elsewhere.ownerChildren! },
      OPENS,
      "another owner's path",
    );
    // The recipient of a ledger of one's own: a leaf with the same id under another root.
    const id = ledger.requireLeaf(MODEL_ID).rewards!.payees[0]!.contributorId;
    const mine = plain();
    const { leaf, ...opening } = mine.requireLeaf(id);
    mine.put(id, { ...opening, leaf: { ...leaf, l1Owner: 0xbadn } });
    const stolen = exitInputs(exitOf(mine, 0, 0));
    await expectRefused(
      { ...inputs, owner: stolen.owner!, ownerChildren: stolen.ownerChildren! },
      id === MODEL_ID ? "PayeeExit" : "PayeeExit: ownerPath.root === modelPath.root;",
      "a recipient under another root",
    );
    expect(await differing({ ...stolen, z: inputs.z! }, exit), "all under another root").toEqual([0, 2]);
    const owner = inputs.owner as bigint[];
    await expectRefused({ ...inputs, owner: owner.with(2, 0xbadn) }, OPENS, "another l1Owner");
    await expectRefused({ ...inputs, owner: owner.with(0, 1n) }, "LeafTag", "a free tag");
  });

  it("another payee, another role, another leaf", async () => {
    const ledger = plain();
    const exit = exitOf(ledger, 0, 0);
    const inputs = exitInputs(exit);
    const second = exitInputs(exitOf(ledger, 1, 0));
    const validator = exitInputs(exitOf(ledger, 0, 1));
    const z = inputs.z!;
    expect(await differing({ ...second, z }, exit), "payee 1's own").toContain(1);
    expect(await differing({ ...validator, z }, exit), "the validator's own").toContain(1);
    await expectRefused({ ...inputs, payeeBits: second.payeeBits! }, OPENS, "another payee's key");
    await expectRefused({ ...second, payeeBits: inputs.payeeBits!, z }, OPENS, "another payee's leaves");
    await expectRefused({ ...inputs, role: 1n }, OPENS, "another role's key");
    await expectRefused({ ...inputs, role: 2n }, "PayeeExit: role * (1 - role) === 0;", "a third role");
    const bits = inputs.payeeBits as bigint[];
    await expectRefused(
      { ...inputs, payeeBits: bits.with(0, bits[0]! - 2n).with(1, bits[1]! + 1n) },
      "PayeeExit: payeeBits[i] * (1 - payeeBits[i]) === 0;",
      "the payee's index in other digits",
    );
    const modelBits = inputs.modelBits as bigint[];
    await expectRefused(
      { ...inputs, modelBits: modelBits.with(0, modelBits[0]! - 2n).with(1, modelBits[1]! + 1n) },
      "PayeeExit: modelBits[i] * (1 - modelBits[i]) === 0;",
      "the model's id in other digits",
    );
    // The other leaf's id and the accrued wei share a packed leaf: none may reach into the other's place.
    const { payees, accruedWei } = ledger.requireLeaf(MODEL_ID).rewards!;
    const carried = { otherId: payees[0]!.validatorId + 2 ** 24, accruedWei: accruedWei[0]! - 1n };
    expect(payeeLeaf({ ...payees[0]!, validatorId: 0 }, accruedWei[0])).toBe(
      payeeLeaf({ ...payees[0]!, validatorId: 0 }, carried.accruedWei) + 2n ** 48n,
    );
    await expectRefused({ ...inputs, ...carried }, "RangeCheck", "an id of 25 bits");
  });

  it("an absent payee's, of 0 wei for the treasury", async () => {
    const ledger = plain();
    const { payees, accruedWei, claimedWei } = ledger.requireLeaf(MODEL_ID).rewards!;
    const inputs = exitInputs(exitOf(ledger, 0, 0));
    for (const index of [3, 4, 511]) {
      const absent = {
        ...inputs,
        payeeBits: Array.from({ length: 12 }, (_, i) => BigInt((index >> i) & 1)),
        accruedWei: 0n,
        claimedWei: 0n,
        otherClaimedWei: 0n,
        otherId: 0,
        accruedChildren: accruedPath(payees, accruedWei, index),
        claimedChildren: claimedPath(claimedWei, index),
        ownerBits: (inputs.ownerBits as bigint[]).map(() => 0n),
        owner: leafHead(ledger.requireLeaf(TREASURY_ID).leaf),
        ownerChildren: ledger.tree.path(TREASURY_ID),
      };
      await expectRefused(absent, "PayeeExit: rows.out * rowsInverse === 1;", `payee ${index}`);
    }
  });

  it("another default split, or an amount that was claimed", async () => {
    const ledger = plain();
    const exit = exitOf(ledger, 1, 1);
    const inputs = exitInputs(exit);
    const { rewards, model } = ledger.requireLeaf(MODEL_ID);
    const counts = inputs.rowCounts as bigint[];
    const more = { rowCounts: counts.with(1, counts[1]! + 1n).with(0, counts[0]! - 1n) };
    await expectRefused({ ...inputs, ...more }, TABLE, "more rows in this payee");
    const owners = shardOwners(more.rowCounts.slice(0, 3).map(Number));
    const listed = { ...more, shardOwners: (inputs.shardOwners as bigint[]).with(0, owners) };
    await expectRefused({ ...inputs, ...listed }, OPENS, "more rows in this payee, and in the statics");
    const rows = inputs.shardRows as bigint[];
    const ROWS = "PayeeExit: (1 - owned.isSharded) * (owned.rowTotal - table.rowTotal) === 0;";
    // Attack: the binding has N, but is not opened; with fewer rows in all, each earned more.
    await expectRefused({ ...inputs, shardRows: rows.with(0, rows[0]! - 1n) }, ROWS, "fewer rows in all");
    const { ownerParts, validatorParts } = unpackSplit(model!.statics.split);
    await expectRefused({ ...inputs, ownerParts: ownerParts - 1n }, OPENS, "a smaller part for the owner");
    await expectRefused(
      { ...inputs, validatorParts: validatorParts + 1n },
      OPENS,
      "a larger validator's part",
    );
    await expectRefused({ ...inputs, present: [1n, 1n, 0n, 0n] }, "Payees", "fewer payees");
    const position = claimedPosition(1, 1);
    expect(rewards!.claimedWei[position]).toBeGreaterThan(0n);
    await expectRefused({ ...inputs, claimedWei: 0n }, OPENS, "as if nothing had been claimed");
    const ignored = { claimedWei: 0n, otherClaimedWei: 0n, claimedChildren: claimedPath([], 1) };
    await expectRefused({ ...inputs, ...ignored }, OPENS, "an empty claimed tree");
    const claimedWei = rewards!.claimedWei[claimedPosition(1, 0)]!;
    const otherClaimedWei = rewards!.claimedWei[position]!;
    expect(claimedWei).not.toBe(otherClaimedWei);
    await expectRefused({ ...inputs, claimedWei, otherClaimedWei }, OPENS, "what the other role has claimed");
    const moved = { claimedWei: inputs.claimedWei as bigint, otherClaimedWei: otherClaimedWei + 2n ** 120n };
    await expectRefused({ ...inputs, ...moved }, "RangeCheck", "a part of 121 bits");
    await expectRefused({ ...inputs, accruedWei: rewards!.accruedWei[1]! + 1n }, OPENS, "a wei more accrued");
    await expectRefused({ ...inputs, openAmount: exit.amountWei }, OPENS, "another open amount");
  });

  it("a closed amount that is not there, or another", async () => {
    const nothing = exitWorld(6, { rowCounts: [2, 3, 1], closedWei: 0n });
    const none = exitInputs(exitOf(nothing, 0, 0));
    await expectRefused(
      { ...none, closedWei: 5n },
      "PayeeExit: (1 - isClosed) * closedWei === 0;",
      "no flag",
    );
    await expectRefused({ ...none, isClosed: 1n, closedWei: 5n }, OPENS, "invented");
    await expectRefused(
      { ...none, isClosed: 2n },
      "PayeeExit: isClosed * (1 - isClosed) === 0;",
      "a flag of 2",
    );
    const inputs = exitInputs(exitOf(plain(), 0, 0));
    await expectRefused({ ...inputs, closedWei: (inputs.closedWei as bigint) + 1n }, OPENS, "a wei more");
    await expectRefused({ ...inputs, closedAt: (inputs.closedAt as bigint) + 1n }, OPENS, "another epoch");
    await expectRefused({ ...inputs, isClosed: 0n, closedWei: 0n }, OPENS, "left out");
  });

  it("a model that is not ready", async () => {
    const ledger = exitWorld(6, { rowCounts: [2, 3, 1], isReady: false });
    expect(() => exitOf(ledger, 0, 0)).toThrow(expect.objectContaining({ code: "OP_MODEL_NOT_READY" }));
    // Exit that TypeScript would compute if the model were ready. Then its leaf is another one.
    const twin = exitInputs(exitOf(exitWorld(6, { rowCounts: [2, 3, 1] }), 0, 0));
    const { leaf, model } = ledger.requireLeaf(MODEL_ID);
    const unready = { ...twin, counters: leaf.counters, modelChildren: ledger.tree.path(MODEL_ID) };
    await expectRefused(unready, OPENS, "another start of an epoch");
    expect(model!.epochStart).toBe(0n);
    const opened = { ...unready, epochStart: 0n };
    await expectRefused(opened, "PayeeExit: epochStart * startInverse === 1;", "no epoch has begun");
  });
});

describe("exits from a model of several shards", () => {
  const shards = [[2, 1], [3, 1, 4], [1]];
  const world = () =>
    exitWorld(6, { rowCounts: inSlots(shards), openAmount: 10n ** 18n + 7n, closedWei: 5n });

  it("equal the rules, and leave no more than the model owes", async () => {
    const ledger = world();
    const { model, leaf } = ledger.requireLeaf(MODEL_ID);
    let earned = 0n;
    for (const [s, counts] of shards.entries())
      for (const [m, rowCount] of counts.entries()) {
        const exit = exitOf(ledger, 512 * s + m, 0);
        const witness = await acceptedExit(tester, exit);
        expect(tester.checkConstraints(witness)).toBeNull();
        expect((exit.key >> 24n) & 0xfffn).toBe(BigInt(512 * s + m));
        earned += earnedByDefault(model!.statics, rowCount, leaf.openAmount);
      }
    expect(earned).toBeLessThanOrEqual(leaf.openAmount);
    const free = tester.tamper(await acceptedExit(tester, exitOf(ledger, 513, 1)));
    expect(free).toEqual([]);
    for (const absent of [2, 511, 515, 1025])
      expect(() => exitOf(ledger, absent, 0)).toThrow(expect.objectContaining({ code: "OP_NOT_PAYEE" }));
  });

  it("have the table of the payee's own shard", async () => {
    const ledger = world();
    const inputs = exitInputs(exitOf(ledger, 512, 0));
    const { present, rowCounts, payeeBits } = exitInputs(exitOf(ledger, 0, 0));
    await expectRefused({ ...inputs, present: present!, rowCounts: rowCounts! }, TABLE, "shard 0's table");
    await expectRefused({ ...inputs, payeeBits: payeeBits! }, TABLE, "shard 0's payee");
    const bits = inputs.payeeBits as bigint[];
    await expectRefused({ ...inputs, payeeBits: bits.with(10, 1n) }, TABLE, "an absent shard's payee");
    const rows = inputs.shardRows as bigint[];
    await expectRefused({ ...inputs, shardRows: rows.with(0, 1n) }, OPENS, "fewer rows in another shard");
    await expectRefused({ ...inputs, shardRows: rows.with(4, 1n) }, "ShardOwners", "rows of no shard");
    const flags = inputs.shardPresent as bigint[];
    await expectRefused({ ...inputs, shardPresent: flags.with(3, 1n) }, OPENS, "a fourth shard");
  });
});

describe("payeeExit", () => {
  it("refuses what is no payee", () => {
    const ledger = plain();
    const refusal = (call: () => unknown) => {
      try {
        call();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return "accepted";
    };
    expect(refusal(() => payeeExit(ledger, 0, 0, 0))).toBe("OP_WRONG_LEAF_KIND");
    expect(refusal(() => payeeExit(ledger, 4_000_000, 0, 0))).toBe("OP_UNKNOWN_LEAF");
    expect(refusal(() => payeeExit(ledger, MODEL_ID, 3, 0))).toBe("OP_NOT_PAYEE");
    expect(refusal(() => payeeExit(ledger, MODEL_ID, 0, 0, 2))).toBe("CIR_SETTLEMENT_SIZE");
  });
});
