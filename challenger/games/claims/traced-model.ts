/** A language model as claims of its queries name it: what is known before any text, and a program for each length. */

import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import type { Kernels } from "@openledger/models/kernels/kernels";
import { type Address, bytesToHex, type Hex } from "viem";
import { FixedNumbers } from "../../trace/fixed-numbers.ts";
import type { TracedText } from "../../trace/leaf-rules.ts";
import { queryProgram, type TracedModel, type TraceInputs } from "../../trace/query-program.ts";
import { chainKernels, runTrace } from "../../trace/run-trace.ts";
import type { TraceOp } from "../../trace/trace-op.ts";
import { type Programs, programsOf, programTree, type TraceTree, traceTree } from "../../trace/trace-tree.ts";
import { type WordTree, wordBytes } from "../../trace/word-tree.ts";

/** A model, and whose ledger has it. */
export interface LedgerModel {
  readonly rollup: Address;
  readonly modelId: bigint;
}

export interface DescribedModel extends LedgerModel {
  readonly inputs: TraceInputs;
  /** The inputs, and what all traces make of them alone. */
  readonly fixed: FixedNumbers;
  readonly inputRoots: readonly Hex[];
  readonly programs: Programs;
  /** Numbers of a query. */
  readonly featureCount: number;
}

/** The contract's Statement. */
export interface TraceStatement {
  readonly rollup: Address;
  readonly modelId: bigint;
  readonly inputs: readonly Hex[];
  readonly programs: Hex;
  readonly programCount: bigint;
  readonly opCount: bigint;
  readonly program: Hex;
  readonly tokens: Hex;
  readonly promptCount: bigint;
  readonly query: Hex;
}

/** @param mostTokens that a program reads; at most the model's `maxRows` */
export function describeModel(
  { modelId, rollup }: LedgerModel,
  model: TracedModel,
  inputs: TraceInputs,
  mostTokens = model.maxRows,
): DescribedModel {
  const programs = programsOf(mostTokens, (tokenCount) => queryProgram(model, tokenCount));
  const fixed = new FixedNumbers(inputs);
  const inputRoots = inputs.map((numbers) => bytesToHex(fixed.treeOf(numbers).root));
  const described = { inputs, fixed, inputRoots, programs };
  return { rollup, modelId, ...described, featureCount: model.featureCount };
}

/** Kernels for each text of a model. */
export const tracingKernels = (
  choice: KernelChoice,
  { programs }: Pick<DescribedModel, "programs">,
): Kernels => chainKernels(choice, [programs.of(programs.count)]);

/** Of prompt and answer. @throws RangeError for fewer tokens than two, or more than there are programs for */
const programOf = ({ programs }: DescribedModel, { tokens }: TracedText): readonly TraceOp[] =>
  programs.of(tokens.length - 1);

/** The query's numbers, and all that they come from. */
export interface TracedQuery {
  readonly text: TracedText;
  readonly program: readonly TraceOp[];
  readonly programTree: WordTree;
  readonly tree: TraceTree;
  readonly query: Int16Array;
  /** The operation whose results are claimed: the last one, but for a row. */
  readonly claimedOp: number;
}

/** Operations at a program's end: real features, the largest size, rounding. Of a row the first of them is claimed. */
const ROW_OPS = 3;

export function traceQuery(model: DescribedModel, text: TracedText, kernels: Kernels): TracedQuery {
  const program = programOf(model, text);
  return tracedQuery(text, program, runTrace(program, text, model.fixed, kernels), model.fixed);
}

/** Real features of a text, as `asRow` claims them: without the trees of a trace. */
export function realFeaturesOf(model: DescribedModel, text: TracedText, kernels: Kernels): Float32Array {
  const program = programOf(model, text);
  return runTrace(program, text, model.fixed, kernels)[program.length - ROW_OPS]!;
}

/** Of results that are there. */
export function tracedQuery(
  text: TracedText,
  program: readonly TraceOp[],
  results: readonly Float32Array[],
  fixed?: FixedNumbers,
): TracedQuery {
  return {
    text,
    program,
    programTree: programTree(program),
    tree: traceTree(results, fixed),
    query: Int16Array.from(results.at(-1)!),
    claimedOp: program.length - 1,
  };
}

/** The same pass as a row of G has it: its real features are claimed, before they are rounded. */
export function asRow(query: TracedQuery): TracedQuery {
  return { ...query, claimedOp: query.program.length - ROW_OPS };
}

/** Root over what is claimed. */
export const claimedRoot = ({ claimedOp, tree }: TracedQuery): Hex => bytesToHex(tree.ops[claimedOp]!.root);

/** What is claimed of a query, and the path of its program. */
export function claimOf(model: DescribedModel, query: TracedQuery) {
  return claimOfText(model, query.text, claimedRoot(query));
}

/** The same of numbers with any root. @throws RangeError for a text that is too long */
export function claimOfText(model: DescribedModel, text: TracedText, query: Hex) {
  const program = programOf(model, text);
  const statement: TraceStatement = {
    rollup: model.rollup,
    modelId: model.modelId,
    inputs: model.inputRoots,
    programs: bytesToHex(model.programs.tree.root),
    programCount: BigInt(model.programs.count + 1),
    opCount: BigInt(program.length),
    program: bytesToHex(programTree(program).root),
    tokens: bytesToHex(wordBytes(text.tokens)),
    promptCount: BigInt(text.promptCount),
    query,
  };
  const path = model.programs.tree.path(text.tokens.length - 1).map((node) => bytesToHex(node));
  return { statement, path };
}

/** Whether a claim names the model's own inputs and programs. Of another model it can be right, and still worth nothing. */
export function namesModel({ inputRoots, programs }: DescribedModel, statement: TraceStatement): boolean {
  return (
    statement.programs === bytesToHex(programs.tree.root) &&
    statement.programCount === BigInt(programs.count + 1) &&
    statement.inputs.join() === inputRoots.join()
  );
}

/** The text of a statement that others have made. */
export function textOf({ promptCount, tokens }: TraceStatement): TracedText {
  const words = tokens.slice(2).match(/.{8}/g) ?? [];
  return { tokens: words.map((word) => Number.parseInt(word, 16)), promptCount: Number(promptCount) };
}

export const hexes = (nodes: readonly Uint8Array[]): Hex[] => nodes.map((node) => bytesToHex(node));

/** Numbers of an operation, in whole words of eight, and what is beside them in its tree. */
export function openedRange(tree: WordTree, from: number, count: number) {
  const first = Math.floor(from / WORD_NUMBERS);
  const { beside, words } = tree.range(first, Math.floor((from + count - 1) / WORD_NUMBERS) + 1 - first);
  return { words: bytesToHex(words), beside: hexes(beside) };
}

export const WORD_NUMBERS = 8;
