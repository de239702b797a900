/** Payee tables of models of several shards: a proof of each, all of one J. */
import { partOf } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { accruedSubroots } from "../../ledger/rewards.ts";
import { payeeTableCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { sourceWithout } from "../../testing/forgeries/mutant.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { array, RANGE, withAt } from "../../testing/settlement/settlement-forgery-check.ts";
import { differingElements, statedProof, witnessOf } from "../../testing/settlement/settlement-world.ts";
import { shardedEpochOf } from "../../testing/settlement/shard-epochs.ts";
import { activationOf, defaultSplit } from "../payee-table-rules.ts";
import type { PreparedProof } from "../settled-model.ts";
import { activationPayees, shardItems } from "../settlement-data.ts";

const PAYEES = 4;
const CAP = { circuit: 3, payments: 60 };
let tester: CircuitTester;
beforeAll(async () => {
  await initPoseidon();
  tester = await CircuitTester.compileSpec(payeeTableCircuitSpec(PAYEES));
});

const SHARDS = [[2, 1], [3]];
const worldOf = (shards = SHARDS, seed = 5) => shardedEpochOf(shards, { seed });
const tablesOf = (isActivation: boolean, shards = SHARDS, seed = 5) => {
  const { model, closed } = worldOf(shards, seed);
  return isActivation ? activationOf(model, CAP, PAYEES) : defaultSplit(model, closed, PAYEES);
};
const refuses = (inputs: CircuitInputs, at: string, what: string) =>
  expectRefusedBy(tester, inputs, at, what);
const differs = async (table: PreparedProof, inputs: CircuitInputs, positions: number[], what: string) => {
  const layout = { count: table.placeCount, last: `main.vector.items[${table.placeCount - 6}]` };
  expect(await differingElements(tester, inputs, table.elements, layout), what).toEqual(positions);
};
const inputsOf = (table: PreparedProof) => statedProof(table).inputs;

describe("payee tables in shards", () => {
  it.each([SHARDS, [[1], [2, 1, 1], [4]]])("equal the rules", async (...shards) => {
    for (const isActivation of [true, false]) {
      const { proofs, data } = tablesOf(isActivation, shards);
      expect(proofs.map(({ elements }) => (elements[1]! >> 100n) & 7n)).toEqual(
        shards.map((_, s) => BigInt(s)),
      );
      for (const table of proofs) {
        const witness = await witnessOf(tester, statedProof(table));
        expect(tester.checkConstraints(witness)).toBeNull();
        const free = new Set(tester.tamper(witness).map(({ signal }) => signal.replace(/\[\d+\]/, "")));
        expect([...free].filter((name) => !/^main\.(inverse|idInverse)$/.test(name))).toEqual([]);
        expect(table.elements[0]).toBe(data.settlementHash);
      }
      const earned = data.shardWei!.reduce((sum, wei) => sum + wei, 0n);
      for (const { elements } of proofs) expect(elements[4]! >> 96n).toBe(earned);
      if (isActivation) expect(earned).toBe(0n);
    }
  });

  it("post all payees in an activation, and the whole amount in a default split", () => {
    const { model, closed } = worldOf();
    const posted = shardItems(activationOf(model, CAP, PAYEES).data).flatMap(activationPayees);
    expect(posted).toEqual(model.payees.filter(({ rowCount }) => rowCount > 0));
    const { earnedWei, terms, data } = defaultSplit(model, closed, PAYEES);
    const earned = earnedWei.reduce((sum, wei) => sum + wei, 0n);
    expect(earned + terms.treasuryWei + data.burnedWei).toBe(closed.amountWei);
    const one = worldOf([[2, 1, 3]]);
    expect(earnedWei.filter((wei) => wei > 0n)).toEqual(
      defaultSplit(one.model, closed, PAYEES).earnedWei.map(
        (_, m) => [earnedWei[0], earnedWei[1], earnedWei[512]][m],
      ),
    );
    for (const refused of [() => activationOf(model, CAP, 1), () => defaultSplit(model, closed, 1)])
      expect(refused).toThrow(expect.objectContaining({ code: "CIR_SETTLEMENT_SIZE" }));
  });

  it("show the place that they prove, one of those that are there", async () => {
    for (const isActivation of [true, false]) {
      const [first, second] = tablesOf(isActivation).proofs as [PreparedProof, PreparedProof];
      const inputs = inputsOf(first);
      const at = (position: readonly bigint[]) => ({
        ...inputs,
        place: [...position, ...Array<bigint>(8 - position.length).fill(0n)],
      });
      await refuses(
        at([0n, 1n]),
        "place[s] * (shardOwners[s] - table.ownersCommitment) === 0;",
        "another place",
      );
      await refuses(
        at([1n, 1n]),
        "place[s] * (shardOwners[s] - table.ownersCommitment) === 0;",
        "two places",
      );
      await refuses(at([0n]), "places === 1;", "no place");
      await refuses(at([2n, -1n]), "place[s] * (place[s] - 1) === 0;", "no bit");
      await refuses(at([0n, 0n, 1n]), "place[s] * (1 - shardPresent[s]) === 0;", "the place of no shard");
      // One shard's table under another's place in E: L1 asks for each position once.
      expect(first.elements[1]).not.toBe(second.elements[1]);
      expect([first, second].map(({ elements }) => elements[1]! >> 100n)).toEqual([16n, 17n]);
    }
  });

  it("bind the rows, owners and number of all shards", async () => {
    const [activation] = tablesOf(true).proofs as [PreparedProof];
    const [split] = tablesOf(false).proofs as [PreparedProof];
    const MU = "mu * rowCounts[m] === (1 << 40) * earned[m] + remainder[m];";
    const [posted, paid] = [inputsOf(activation), inputsOf(split)];
    await refuses(withAt(paid, "shardRows", 1, 4n), MU, "rows that no shard has");
    await differs(activation, withAt(posted, "shardRows", 1, 4n), [0], "rows that no shard has");
    await refuses(
      withAt(posted, "shardRows", 0, 4n),
      "place[s] * (shardRows[s] - table.rowTotal) === 0;",
      "own rows",
    );
    await refuses(withAt(posted, "shardRows", 1, 1n << 32n), RANGE, "33 bits");
    await refuses(
      withAt(posted, "shardRows", 2, 1n),
      "rowTotals[s] * (1 - present[s]) === 0;",
      "of no shard",
    );
    await refuses(withAt(posted, "shardOwners", 2, 1n), "owners[s] * (1 - present[s]) === 0;", "of no shard");
    for (const table of [activation, split]) {
      const inputs = inputsOf(table);
      const owners = array(inputs, "shardOwners")[1]! + 1n;
      await differs(table, withAt(inputs, "shardOwners", 1, owners), [0], "another shard's owners");
      await differs(table, withAt(inputs, "shardPresent", 2, 1n), [0, 1], "a third shard");
      const alone = { ...withAt(withAt(inputs, "shardPresent", 1, 0n), "shardOwners", 1, 0n) };
      await refuses(
        { ...alone, shardRows: array(inputs, "shardRows").with(1, 0n) },
        table === split ? MU : "(1 - shardPresent[s]) * (oldSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;",
        "one shard alone",
      );
    }
  });

  it("bind all subtrees, and the table's own are its payees'", async () => {
    for (const isActivation of [true, false]) {
      const [first] = tablesOf(isActivation).proofs as [PreparedProof];
      const inputs = inputsOf(first);
      for (const [name, at] of [
        ["oldSubroot", "place[s] * (oldSubroot[s] - tree.oldRoot) === 0;"],
        ["newSubroot", "place[s] * (newSubroot[s] - tree.newRoot) === 0;"],
      ] as const) {
        await refuses(withAt(inputs, name, 0, 5n), at, `own ${name}`);
        const empty = `(1 - shardPresent[s]) * (${name}[s] - EMPTY_PAYEE_NODE(3)) === 0;`;
        await refuses(withAt(inputs, name, 7, 5n), empty, `an absent ${name}`);
        const other = withAt(inputs, name, 1, 5n);
        const isPayeeRoot = isActivation && name === "oldSubroot";
        if (isPayeeRoot)
          await refuses(other, "isActivation * (payeeRoot - top.oldRoot) === 0;", "not the payee root's");
        else await differs(first, other, [0], `another shard's ${name}`);
      }
    }
    const { model } = worldOf();
    const [empty] = accruedSubroots(model.payees, []).slice(2);
    expect(array(inputsOf(tablesOf(true).proofs[0]!), "oldSubroot")[2]).toBe(empty);
  });

  it("have one shard for each of several datanets, in their order", async () => {
    const world = (furtherDatanets: readonly number[], shards = SHARDS) =>
      shardedEpochOf(shards, { seed: 5, furtherDatanets });
    const three = [[2, 1], [3], [1]];
    for (const [further, shards] of [
      [[7], SHARDS],
      [[7, 2 ** 24 - 1], three],
    ] as const) {
      const { model, closed } = world(further, shards as number[][]);
      for (const { proofs } of [activationOf(model, CAP, PAYEES), defaultSplit(model, closed, PAYEES)])
        for (const table of proofs) await witnessOf(tester, statedProof(table));
    }
    const six = world([1, 2, 3, 4, 5], [[1], [1], [1], [1], [1], [1]]);
    for (const table of activationOf(six.model, CAP, PAYEES).proofs)
      await witnessOf(tester, statedProof(table));

    const LISTED = "further[j] * idInverse[j] === isListed[j];";
    const { name, mainSource } = payeeTableCircuitSpec(PAYEES);
    const hintless = await CircuitTester.compile(`${name}-hintless`, sourceWithout(mainSource, [LISTED]));
    // The model refuses what has no witness: ids are the binding's, present shards those of the tables.
    const refused: [further: readonly number[], shards: number[][], at: string][] = [
      [[7], three, LISTED],
      [[7, 8], SHARDS, LISTED],
      [[7, 0, 8], three, LISTED],
      [[7, 0, 8], [[1], [1], [1], [1]], LISTED],
      [[0, 8], three, LISTED],
      [[7], [[2, 1]], "isSeveral * (1 - shardPresent[1]) === 0;"],
      [[1, 2, 3, 4, 5], [[1], [1], [1], [1], [1], [1], [1]], "isSeveral * shardPresent[6] === 0;"],
    ];
    for (const [further, shards, at] of partOf(refused, 2)) {
      const what = `datanets ${further} of ${shards.length} shards`;
      const { model, closed } = world(further, shards);
      for (const prepare of [
        () => activationOf(model, CAP, PAYEES),
        () => defaultSplit(model, closed, PAYEES),
      ])
        expect(prepare, what).toThrow(expect.objectContaining({ code: "CIR_SETTLEMENT_DIFFERS" }));
      const alone = world([], shards);
      for (const { proofs } of [
        activationOf(alone.model, CAP, PAYEES),
        defaultSplit(alone.model, alone.closed, PAYEES),
      ]) {
        const ids = Array.from({ length: 5 }, (_, j) => BigInt(further[j] ?? 0));
        await refuses({ ...inputsOf(proofs[0]!), further: ids }, at, what);
        // By another hint an id of no shard has an inverse of 0.
        const isForged = further.some((id, j) => id !== 0 && (further[0] === 0 || j + 1 >= shards.length));
        if (at !== LISTED || !isForged) continue;
        const forged = hintless.calculateWitness({ ...inputsOf(proofs[0]!), further: ids });
        await expect(forged, what).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
      }
    }
    const [table] = activationOf(world([7]).model, CAP, PAYEES).proofs as [PreparedProof];
    const FURTHER = array(inputsOf(table), "further");
    await refuses({ ...inputsOf(table), further: FURTHER.with(0, 7n + (1n << 24n)) }, RANGE, "25 bits");
    await differs(table, { ...inputsOf(table), further: FURTHER.with(0, 8n) }, [0], "another datanet");
  });

  it("show what their own payees and those of all shards earn", async () => {
    const [first] = tablesOf(false).proofs as [PreparedProof];
    const inputs = inputsOf(first);
    const { shardWei } = tablesOf(false).data;
    const totalWei = shardWei!.reduce((total, wei) => total + wei, 0n);
    expect(first.elements[4]).toBe(shardWei![0]! | (totalWei << 96n));
    await differs(first, { ...inputs, earnedTotal: totalWei + 1n }, [0, 4], "another sum of all shards");
    await refuses({ ...inputs, earnedTotal: 1n << 96n }, RANGE, "97 bits");
    await refuses({ ...inputs, earnedTotal: -1n }, RANGE, "a negative sum");
    const [activation] = tablesOf(true).proofs as [PreparedProof];
    await refuses(
      { ...inputsOf(activation), earnedTotal: 1n },
      "isActivation * earnedTotal === 0;",
      "activated",
    );
    const only = tablesOf(false, [[2, 1]]).proofs[0]!;
    expect(only.elements[4]).toBe(0n);
    expect(only.elements[1]! >> 96n).toBe(0n);
    const more = { ...inputsOf(only), earnedTotal: (inputsOf(only).earnedTotal as bigint) + 1n };
    await refuses(more, "(1 - owned.isSharded) * (earnedTotal - earnedSum) === 0;", "of one shard");
    await differs(only, withAt(inputsOf(only), "shardPresent", 1, 1n), [0, 1, 4], "shown as of two shards");
  });
});
