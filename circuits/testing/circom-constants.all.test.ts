/** Compares the constants of the circom files with protocol.ts, and the recorded numbers of constraints with circom's. */
import { describe, expect, it } from "vitest";
import type { CircuitSpec } from "../compiler/compile.ts";
import { compileCircuit } from "../compiler/compile.ts";
import { templatePath, templateSource } from "../compiler/template-files.ts";
import { DUMMY } from "../field/curve/dummy-signature.ts";
import { EMPTY_CLAIMED_ROOT } from "../ledger/rewards.ts";
import {
  BINDING,
  COUNTERS,
  EPOCH_SECONDS,
  KIND,
  KIND_RULES,
  LEAF_KIND,
  MESSAGE_CORE,
  NARROW_CORE,
  REFERENCE,
  shapeName,
  TAG,
  TREE_DEPTH,
  WIDE_CORE,
  WIDE_WORD_COUNT,
} from "../protocol.ts";
import { circuitSpec } from "../registry/circuit-registry.ts";
import { tableShapeOf } from "../table/table-shape.ts";
import { recordedCount } from "./constraint-counts.ts";
import { SAMPLE_SHAPE } from "./sample-shape.ts";
import { tableConstraints } from "./table-counts.ts";

describe("constraint-counts.json", () => {
  it("has the counts of the wide slot and of the devnet's batch", { timeout: 600_000 }, async () => {
    const count = async (spec: CircuitSpec) => {
      const { nonLinear, linear } = (await compileCircuit(spec)).constraintCounts;
      return nonLinear + linear;
    };
    const mainSource = `pragma circom 2.1.6;\ninclude "${templatePath("wide-slot")}";\ncomponent main = WideSlot(8, 86400);\n`;
    const wide = await count({ name: "wide-slot-8", mainSource });
    expect(wide).toBe(recordedCount("WideSlot(8)"));
    // A limit of the protocol.
    expect(wide).toBeLessThanOrEqual(27_144);
    const spec = circuitSpec(shapeName(SAMPLE_SHAPE));
    const batch = await count(spec);
    expect(batch).toBe(recordedCount("TableBatch(8, 10, 6, 5, 20, 6, 1, 2)"));
    expect(batch).toBe(tableConstraints(tableShapeOf(SAMPLE_SHAPE), TREE_DEPTH, wide));
    // With the three public signals and the constant 1 it must fit the devnet's domain.
    expect(batch + 4).toBeLessThanOrEqual(2 ** 18);
  });
});

describe("circom's constants", () => {
  const source = (file: string) => templateSource(file);
  const constant = (file: string, name: string) => {
    const match = new RegExp(`function ${name}\\(\\) \\{ return (\\d+); \\}`).exec(source(file));
    return BigInt(match?.[1] ?? -1);
  };
  const array = (file: string, name: string) => {
    const match = new RegExp(`function ${name}\\(i\\) \\{\\s*var \\w+\\[\\d+\\] = \\[([\\d, ]+)\\];`).exec(
      source(file),
    );
    return (match?.[1] ?? "").split(",").map(Number);
  };
  const screaming = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const wideRules = KIND_RULES.filter(({ kind }) => kind !== KIND.null);

  it("are the kinds, weights and word counts of protocol.ts", () => {
    expect(array("wide-kinds", "WIDE_KIND")).toEqual(wideRules.map(({ kind }) => kind));
    expect(array("wide-kinds", "WIDE_WEIGHT")).toEqual(wideRules.map(({ weight }) => weight));
    expect(array("wide-kinds", "WIDE_WORDS")).toEqual(wideRules.map(({ wordCount }) => wordCount));
    expect(constant("wide-kinds", "WIDE_KIND_COUNT")).toBe(BigInt(wideRules.length));
    expect(Math.max(...wideRules.map(({ wordCount }) => wordCount))).toBe(WIDE_WORD_COUNT);
    // The circuit takes the kinds with a weight for the signed ones.
    expect(source("wide-slot")).toContain("if (WIDE_WEIGHT(i) > 0) { signedSum += flags[i]; }");
    expect(wideRules.map(({ isSigned }) => isSigned)).toEqual(wideRules.map(({ weight }) => weight > 0));
    // The flags by name.
    const flagName = (name: string) => `FLAG_${screaming(name)}`;
    expect(wideRules.map(({ name }) => constant("wide-kinds", flagName(name)))).toEqual(
      wideRules.map((_, i) => BigInt(i)),
    );
    const named = [...source("wide-slot").matchAll(/signal is(\w+) <== flags\[(\w+)\(\)\];/g)];
    expect(named.map(([, name, flag]) => [name!.toLowerCase(), flag])).toEqual(
      wideRules.map(({ name }) => [
        name
          .replace(
            /^((?:forced)?commit)Data|^((?:forced)?pay)Inference|^((?:forced)?publish)Version|^((?:forced)?(?:approve|revoke))Model/i,
            "$1$2$3$4",
          )
          .toLowerCase(),
        flagName(name),
      ]),
    );

    // The table's sections: transfers of kind 1 and 10 units, members of kind 2 or 3 and 14 units.
    const narrowRules = wideRules.filter(({ isNarrow }) => isNarrow);
    expect(narrowRules.map(({ kind, weight }) => [kind, weight])).toEqual([
      [1, 10],
      [2, 14],
      [3, 14],
    ]);
    expect(source("transfer-slot")).toContain("SlotHead(window, 10);");
    expect(source("transfer-slot")).toContain("head.kind <== used;");
    expect(source("member-slot")).toContain("SlotHead(window, 14);");
    expect(source("member-slot")).toContain("head.kind <== 2 * used + isPay;");
  });

  it("are the positions of packed fields", () => {
    const tables = {
      NARROW_CORE,
      WIDE_CORE,
      MESSAGE: MESSAGE_CORE,
      REFERENCE,
      COUNTER: COUNTERS,
      BINDING,
    };
    const expected = Object.entries(tables).flatMap(([prefix, positions]) =>
      Object.entries(positions).map(
        ([name, position]) => `function ${prefix}_${screaming(name)}() { return 1 << ${position}; }`,
      ),
    );
    expect(source("places").match(/^function .*$/gm)).toEqual(expected);
  });

  it("are the tags and the dummy key of the model", () => {
    expect(constant("slot-parts", "TAG_ACCOUNT")).toBe(TAG.leaf + BigInt(LEAF_KIND.account));
    expect(constant("slot-parts", "TAG_DATANET")).toBe(TAG.leaf + BigInt(LEAF_KIND.datanet));
    expect(constant("slot-parts", "TAG_MODEL")).toBe(TAG.leaf + BigInt(LEAF_KIND.model));
    expect(constant("merkle8", "TAG_NODE")).toBe(TAG.node);
    expect(constant("slot-parts", "DUMMY_KEY_X")).toBe(DUMMY.keyX);
    const tagOf = (file: string, component: string) =>
      BigInt(
        new RegExp(`component ${component}(?:\\[\\w+\\])? = HashTagged\\(\\d+, (\\d+)\\)`).exec(
          source(file),
        )?.[1] ?? -1,
      );
    expect(tagOf("slot-parts", "hash")).toBe(TAG.leafRest);
    expect(tagOf("wide-slot", "wordsHash")).toBe(TAG.words);
    expect(tagOf("wide-slot", "oldBody")).toBe(TAG.datanetBody);
    expect(tagOf("wide-slot", "newBody")).toBe(TAG.datanetBody);
    expect(tagOf("model-body", "opened")).toBe(TAG.statics);
    expect(tagOf("model-body", "oldBody")).toBe(TAG.modelBody);
    expect(tagOf("model-body", "made")).toBe(TAG.modelBody);
    const listedOrClosed = `${TAG.closed} + ${TAG.shardOwners - TAG.closed} * isJoint`;
    expect(/closing\.tag <== (.+);/.exec(source("model-body"))?.[1]).toBe(listedOrClosed);
    expect(tagOf("shard-lists", "list")).toBe(TAG.shardOwners);
    expect(tagOf("shard-lists", "node")).toBe(TAG.payeeNode);
    expect(/terms\.tag <== (.+);/.exec(source("model-body"))?.[1]).toBe(`${TAG.settlement} + isActivation`);
    expect(TAG.activation).toBe(TAG.settlement + 1n);
    expect(constant("claim-rewards", "TAG_PAYEE_NODE")).toBe(TAG.payeeNode);
    expect(constant("claim-rewards", "EMPTY_CLAIMED_ROOT")).toBe(EMPTY_CLAIMED_ROOT);
    expect(constant("model-body", "EPOCH_SECONDS")).toBe(BigInt(EPOCH_SECONDS));
    expect(/hash\[i\] = HashTagged\(16, (\d+)\)/.exec(source("data-commitment"))?.[1]).toBe(`${TAG.data}`);
    expect(/step\.tag <== (.+);/.exec(source("slot-parts"))?.[1]).toBe(`${TAG.commit} + isPay`);
    expect(/step\.tag <== (.+);/.exec(source("member-slot"))?.[1]).toBe(`${TAG.commit} + isPay`);
    expect(TAG.payment).toBe(TAG.commit + 1n);
    const tags = Object.values(TAG);
    expect(new Set(tags).size).toBe(tags.length);
    expect(tags.every((tag) => tag === TAG.leaf || tag < TAG.leaf) && !tags.includes(0n as never)).toBe(true);
  });
});
