import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { traceRulesAbi } from "@openledger/contracts/build/trace-abi";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { createKernels } from "@openledger/models/kernels/create-kernels";
import { madeConfigs } from "@openledger/models/testing/made-models";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { describe, expect, test } from "vitest";
import { bitsOf, exponential, floatOf, fused } from "../trace/float-arithmetic.ts";
import { leafRule, placesOf } from "../trace/leaf-rules.ts";
import { queryProgram } from "../trace/query-program.ts";
import { chainKernels, traceSteps } from "../trace/run-trace.ts";
import { edgeTriples, exactFused } from "../trace/testing/exact-fused.ts";
import {
  encodeOp,
  LONGEST_ROW,
  MOST_PIECES,
  OP_KINDS,
  type OpKind,
  sizeOf,
  type TraceOp,
} from "../trace/trace-op.ts";
import { wordBytes } from "../trace/word-tree.ts";
import { mostOpened } from "./claims/claimable.ts";
import { type TracedQuery, tracedQuery } from "./claims/traced-model.ts";
import { smallModel, startTraceGame } from "./testing/trace-fixture.ts";
import { rangesOf } from "./trace-moves.ts";

const f = started(() => startTraceGame());
const random = new SeededRandom("trace rules");
const nextBelow = (limit: number) => random.nextBelow(limit);

const rules = (functionName: string, args: readonly unknown[]) =>
  f.client.readContract({ address: f.rules, abi: traceRulesAbi, functionName, args } as never);

const hexOf = (words: readonly number[]): Hex => bytesToHex(wordBytes(words));

function wordsIn(hex: Hex): number[] {
  const bytes = hexToBytes(hex);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, k) => view.getUint32(4 * k));
}

describe("a fused multiply-add", () => {
  test("is the exact one at every edge: in TypeScript, in the engine and on L1", async () => {
    const { kernels } = createKernels("wasm", 64);
    const { arena } = kernels;
    const one = (at: number) => ({ at, rowStride: 1, columnStride: 1 });
    const triples = edgeTriples(4_000, nextBelow);
    const expected = triples.map(([x, y, z]) => exactFused(x, y, z));
    const here = triples.map(([x, y, z]) => bitsOf(fused(floatOf(x), floatOf(y), floatOf(z))));
    expect(here).toEqual(expected);
    const engine = triples.map((triple) => {
      for (const [k, word] of triple.entries()) arena[16 * k] = floatOf(word);
      kernels.multiply(1, 1, 1, one(0), one(16), 32, 1, true);
      return bitsOf(arena[32]!);
    });
    expect(engine).toEqual(expected);
    for (let from = 0; from < triples.length; from += 1_000) {
      const some = triples.slice(from, from + 1_000);
      const operands = [0, 1, 2].map((k) => hexOf(some.map((triple) => triple[k]!)));
      expect(wordsIn((await rules("fuse", operands)) as Hex)).toEqual(expected.slice(from, from + 1_000));
    }
    // Sums that leave the floats, that cancel, and that are subnormal are among them.
    const has = (wanted: (bits: number) => boolean) => expected.filter(wanted).length;
    expect(has((bits) => (bits & 0x7fffffff) === 0x7f800000)).toBeGreaterThan(20);
    expect(has((bits) => (bits & 0x7fffffff) === 0)).toBeGreaterThan(20);
    expect(has((bits) => (bits & 0x7f800000) === 0 && (bits & 0x7fffff) !== 0)).toBeGreaterThan(20);
  });

  test("of infinities and of what is no number is what IEEE 754 says", async () => {
    const words = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001];
    const triples = words.flatMap((x) => words.flatMap((y) => words.map((z) => [x, y, z] as const)));
    const operands = [0, 1, 2].map((k) => hexOf(triples.map((triple) => triple[k]!)));
    const expected = triples.map(([x, y, z]) => bitsOf(Math.fround(floatOf(x) * floatOf(y) + floatOf(z))));
    expect(triples.map(([x, y, z]) => bitsOf(fused(floatOf(x), floatOf(y), floatOf(z))))).toEqual(expected);
    const given = wordsIn((await rules("fuse", operands)) as Hex);
    // A number that goes in as none may come out as it went in, where nothing is added to it.
    expect(given.map((word) => bitsOf(floatOf(word)))).toEqual(expected);
  });
});

test("quotients, roots, powers of e and comparisons are the engine's", async () => {
  const pairs = edgeTriples(500, nextBelow);
  const near = Array.from({ length: 200 }, () => bitsOf(Math.fround((random.nextFraction() - 0.5) * 180)));
  const x = [...pairs.map(([first]) => first), ...near];
  const y = [...pairs.map(([, second]) => second), ...near.toReversed()];
  const [quotient, root, raised, greater] = (await rules("quotients", [hexOf(x), hexOf(y)])) as Hex[];
  const of = (make: (p: number, q: number) => number) =>
    x.map((word, k) => bitsOf(Math.fround(make(floatOf(word), floatOf(y[k]!)))));
  expect(wordsIn(quotient!)).toEqual(of((p, q) => p / q));
  expect(wordsIn(root!)).toEqual(of((p) => Math.sqrt(p)));
  expect(wordsIn(raised!)).toEqual(of(exponential));
  expect(wordsIn(greater!)).toEqual(x.map((word, k) => (floatOf(word) > floatOf(y[k]!) ? 1 : 0)));
});

describe("every kind of operation", () => {
  const short = [3, 14, 15, 9, 26, 5, 35, 8];
  const promptCount = 3;
  const traced: TracedQuery[] = [];
  // More than two pieces of logits a row; more heads of tokens than one operation puts together.
  const wide = { ...madeConfigs.gpt2, vocab_size: 2 * LONGEST_ROW + 40 };
  const long = Array.from({ length: 30 }, (_, k) => (7 * k) % 60);

  test.each([
    ["gpt2", madeConfigs.gpt2, short],
    ["llama", madeConfigs.llama, short],
    ["qwen3", madeConfigs.qwen3, short],
    ["gpt2, of a large vocabulary", wide, [2 * LONGEST_ROW + 17, 4_095, 4_096, 9, 0, 8_191, 8_192, 8_200]],
    ["qwen3, of a long text", madeConfigs.qwen3, long],
  ] as const)("of %s is the engine's pass", async (_, config, tokens) => {
    const { inputs, model, queryOf } = await smallModel(config, tokens.length - 1);
    const program = queryProgram(model, tokens.length - 1);
    const text = { tokens, promptCount };
    const results = [...traceSteps(program, text, inputs, chainKernels("wasm", [program]))];
    const own = tracedQuery(text, program, results);
    expect(own.query).toEqual(queryOf(tokens, promptCount));
    traced.push(own);
    // Chains went through the engine's kernels, copies tile by tile; one by one they are the same.
    for (const [k, op] of program.entries()) {
      if (op.kind !== "chain" && op.kind !== "copy") continue;
      const rule = leafRule(
        op,
        text,
        op.sources.map((source) => results[source.op]!),
      );
      const at = nextBelow(sizeOf(op));
      expect(rule(Math.floor(at / op.columns), at % op.columns)).toBe(results[k]![at]);
    }
  });

  test("opens no more numbers than are said, and puts no more pieces together", async () => {
    for (const config of [madeConfigs.gpt2, madeConfigs.llama, madeConfigs.qwen3, wide]) {
      const { model } = await smallModel(config, 40);
      const text = { tokens: new Array<number>(41).fill(0), promptCount };
      const opened = queryProgram(model, 40).map((op) => {
        expect(op.sources.length).toBeLessThanOrEqual(MOST_PIECES);
        const counts = placesOf(op, text, op.rows - 1, op.columns - 1).map(({ count }) => count);
        // A mean, a factor, what is before: one number each, beside the rows.
        return counts.filter((count) => count > 1).reduce((sum, count) => sum + count, 0);
      });
      const { width } = model.shape;
      expect(Math.max(...opened)).toBeLessThanOrEqual(Math.max(2 * 40, LONGEST_ROW, 3 * width));
      expect(mostOpened({ width: 4_096 })).toBe(3 * 4_096);
    }
  });

  test("has its rule on L1: what a trace says is what L1 computes", async () => {
    const seen = new Map<OpKind, number>();
    const seenOfLoss = new Set<OpKind>();
    for (const own of traced) {
      const pass = {
        traceRoot: bytesToHex(own.tree.top.root),
        opCount: BigInt(own.program.length),
        tokens: hexOf(own.text.tokens),
        promptCount: BigInt(own.text.promptCount),
      };
      const ofKind = (kind: OpKind) => own.program.flatMap((op, place) => (op.kind === kind ? [place] : []));
      const places = OP_KINDS.filter((kind) => kind !== "input").flatMap((kind) => {
        const all = ofKind(kind);
        return all.length === 0 ? [] : Array.from({ length: 4 }, () => all[nextBelow(all.length)]!);
      });
      // What only long rows of logits have.
      const loss = own.program.findIndex(({ kind }) => kind === "crossEntropy");
      const ofLoss = ({ depth, extra, kind, sources }: TraceOp, place: number) =>
        place < loss &&
        (kind === "most" ? depth === LONGEST_ROW : kind === "lanes" && extra === 0 && sources.length === 2);
      places.push(...own.program.flatMap((op, place) => (ofLoss(op, place) ? [place, place] : [])));
      await Promise.all(
        places.map(async (place) => {
          const op = own.program[place]!;
          const size = sizeOf(op);
          const element = nextBelow(size);
          const word = own.tree.ops[place]!.node(0, element >> 3);
          const expected = new DataView(word.buffer, word.byteOffset).getUint32(4 * (element & 7));
          const args = [pass, bytesToHex(encodeOp(op)), BigInt(element), rangesOf(own, place, element)];
          expect(await rules("output", args), `${op.kind} ${place}/${element}`).toBe(BigInt(expected));
          seen.set(op.kind, (seen.get(op.kind) ?? 0) + 1);
          if (ofLoss(op, place)) seenOfLoss.add(op.kind);
        }),
      );
    }
    expect([...seenOfLoss].sort()).toEqual(["lanes", "most"]);
    expect(OP_KINDS.filter((kind) => kind !== "input" && !seen.has(kind))).toEqual([]);
  });
});
