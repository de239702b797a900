import { beforeAll, describe, expect, it } from "vitest";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { unpermute } from "../field/poseidon-permutation.ts";
import { accountLeaf, leafHead } from "../ledger/leaf.ts";
import { Ledger } from "../ledger/ledger.ts";
import { leafExitCircuitSpec } from "../registry/circuit-registry.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import {
  acceptedExit,
  differingElements as differing,
  exitInputs,
  exitWorld,
  MODEL_ID,
} from "../testing/exit-world.ts";
import { expectRefusedBy } from "../testing/forgeries/refusal-check.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { leafExit, leafExitKey, type PreparedExit } from "./exit-statement.ts";

let tester: CircuitTester;
const differingElements = (inputs: CircuitInputs, exit: PreparedExit) =>
  differing(tester, inputs, exit, "main.leaf[4]");

beforeAll(async () => {
  await initPoseidon();
  tester = await CircuitTester.compileSpec(leafExitCircuitSpec());
});

const expectRefused = (inputs: CircuitInputs, at: string, what: string) =>
  expectRefusedBy(tester, inputs, at, what);

describe("LeafExit", () => {
  it("equals the rules for leaves of every kind, in every corner of the tree", async () => {
    expect(tester.constraintCount).toBe(recordedCount("LeafExit(8)"));
    for (let seed = 1; seed <= 5; seed++) {
      const ledger = exitWorld(seed);
      for (const [id, { leaf }] of ledger.leaves) {
        const exit = leafExit(ledger, id);
        expect(exit).toMatchObject({ root: ledger.root, key: BigInt(id), recipient: leaf.l1Owner });
        expect(exit.amountWei).toBe(leaf.balance);
        const witness = await acceptedExit(tester, exit);
        expect(tester.checkConstraints(witness)).toBeNull();
      }
    }
  });

  it("takes the leaves of a ledger that operations have made", async () => {
    const { ledger } = new RandomLedger(3, 8);
    for (const id of ledger.leaves.keys()) await acceptedExit(tester, leafExit(ledger, id));
  });

  it("notices every altered wire", async () => {
    for (const id of [0, MODEL_ID]) {
      const witness = await acceptedExit(tester, leafExit(exitWorld(1), id));
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  it("proves other elements for another balance, owner, place or ledger", async () => {
    const ledger = exitWorld(2);
    const exit = leafExit(ledger, MODEL_ID);
    const inputs = exitInputs(exit);
    expect(await differingElements(inputs, exit)).toEqual([]);
    const other = exitWorld(2);
    const { leaf, ...opening } = other.requireLeaf(MODEL_ID);
    other.put(MODEL_ID, { ...opening, leaf: { ...leaf, balance: leaf.balance + 1n } });
    const richer = { ...leafExit(other, MODEL_ID).inputs, z: inputs.z! };
    expect(await differingElements(richer, exit), "a ledger of one's own").toEqual([0, 3]);
    const elsewhere = leafExit(ledger, 0);
    expect(await differingElements({ ...elsewhere.inputs, z: inputs.z! }, exit)).toEqual([1, 2, 3]);
    const fields = inputs.leaf as bigint[];
    const opens = "NodeRead8: bits[2] * (at1[1] - at1[0]) === child - at1[0];";
    await expectRefused({ ...inputs, leaf: fields.with(4, fields[4]! + 1n) }, opens, "a wei more");
    await expectRefused({ ...inputs, leaf: fields.with(2, 5n) }, opens, "another owner");
    await expectRefused({ ...inputs, children: elsewhere.inputs.children! }, opens, "another leaf's path");
    const bits = inputs.idBits as bigint[];
    await expectRefused({ ...inputs, idBits: bits.with(0, bits[0]! ^ 1n) }, opens, "another id");
    await expectRefused(
      { ...inputs, idBits: bits.with(0, bits[0]! - 2n).with(1, bits[1]! + 1n) },
      "LeafExit: idBits[i] * (1 - idBits[i]) === 0;",
      "an id of other digits: a second key",
    );
  });

  it("binds the tag: without it any hash has an opening of one's choice", async () => {
    const ledger = new Ledger();
    ledger.put(5, { leaf: accountLeaf({ l1Owner: 7n, balance: 1n }) });
    const exit = leafExit(ledger, 5);
    const inputs = exitInputs(exit);
    const fields = inputs.leaf as bigint[];
    const hash = hashTagged(fields[0]!, fields.slice(1));
    // The permutation backwards, from the hash and five elements of one's choice: a tag and fields that hash to it.
    const forged = unpermute([hash, ...Array.from({ length: 5 }, (_, i) => BigInt(i))]);
    expect(hashTagged(forged[0]!, forged.slice(1))).toBe(hash);
    await expectRefused({ ...inputs, leaf: forged }, "LeafTag: low * (tag - TAG_MODEL())", "a free tag");
  });

  it("does not let an empty place leave", async () => {
    const ledger = exitWorld(4);
    expect(() => leafExit(ledger, 12345)).toThrow(expect.objectContaining({ code: "OP_UNKNOWN_LEAF" }));
    const exit = leafExit(ledger, 0);
    const inputs = { ...exitInputs(exit), leaf: leafHead(accountLeaf({ l1Owner: 9n })) };
    const idBits = Array.from({ length: 24 }, (_, i) => (12345n >> BigInt(i)) & 1n);
    await expectRefused(
      { ...inputs, idBits, children: ledger.tree.path(12345) },
      "NodeRead8:",
      "a leaf where there is none",
    );
    expect(leafExitKey(12345)).toBe(12345n);
  });
});
