import { madeConfigs } from "@openledger/models/testing/made-models";
import { bytesToHex } from "viem";
import { expect, test } from "vitest";
import { smallModel } from "../games/testing/trace-fixture.ts";
import { FixedNumbers } from "./fixed-numbers.ts";
import { queryProgram } from "./query-program.ts";
import { chainKernels, runTrace, traceSteps } from "./run-trace.ts";
import type { TraceOp } from "./trace-op.ts";
import { traceTree } from "./trace-tree.ts";

test.each(["gpt2", "qwen3"] as const)(
  "traces of %s share copies of inputs, and nothing else",
  async (name) => {
    const { inputs, model } = await smallModel(madeConfigs[name], 8);
    const fixed = new FixedNumbers(inputs);
    const texts = [
      { tokens: [3, 14, 15, 9, 26], promptCount: 2 },
      { tokens: [5, 35, 8, 9, 7, 9, 3], promptCount: 3 },
    ];
    const traces = texts.map((text) => {
      const program = queryProgram(model, text.tokens.length - 1);
      const kernels = chainKernels("wasm", [program]);
      const results = runTrace(program, text, fixed, kernels);
      const alone = [...traceSteps(program, text, inputs, kernels)];
      expect(results).toEqual(alone);
      const tree = traceTree(results, fixed);
      expect(bytesToHex(tree.top.root)).toBe(bytesToHex(traceTree(alone).top.root));
      const isFixed = ({ kind, sources }: TraceOp) =>
        kind === "input" || (kind === "copy" && program[sources[0]!.op]!.kind === "input");
      const of = (isKept: boolean) => [...program.keys()].filter((k) => isFixed(program[k]!) === isKept);
      // Flipped results of a pass are none of them.
      expect(of(true).some((k) => program[k]!.kind === "copy")).toBe(true);
      expect(of(false).some((k) => program[k]!.kind === "copy")).toBe(true);
      return [true, false].map((isKept) => of(isKept).map((k) => [results[k]!, tree.ops[k]!] as const));
    });
    const [first, second] = traces as [(typeof traces)[0], (typeof traces)[0]];
    expect(first[0]!.length).toBe(second[0]!.length);
    for (const [k, [numbers, tree]] of first[0]!.entries()) {
      // The very arrays and trees, not equal ones.
      expect(second[0]![k]![0] === numbers).toBe(true);
      expect(second[0]![k]![1] === tree).toBe(true);
    }
    const made = new Set<unknown>(first[1]!.flat());
    expect(second[1]!.flat().some((one) => made.has(one))).toBe(false);
  },
);

test("a chain that reads beyond its source fails, and what somebody changes in an input stays in his trace", async () => {
  const { inputs, model } = await smallModel(madeConfigs.gpt2, 8);
  const text = { tokens: [3, 14, 15], promptCount: 1 };
  const program = queryProgram(model, 2);
  const kernels = chainKernels("wasm", [program]);
  const place = program.findIndex(({ kind }) => kind === "chain");
  const { sources, ...chain } = program[place]!;
  const beyond = sources.with(0, { ...sources[0]!, start: sources[0]!.size });
  const wrong = program.with(place, { ...chain, sources: beyond });
  expect(() => runTrace(wrong, text, new FixedNumbers(inputs), kernels)).toThrow("reads beyond");
  const first = inputs[0]![0]!;
  for (const numbers of traceSteps(program, text, inputs, kernels)) numbers[0] = first + 1;
  expect(inputs[0]![0]).toBe(first);
});
