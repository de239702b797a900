/** What a language model's hostile owner claims: queries, tokens and answers that are not the model's. */
import type { AnsweringModel } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { claimReceiptCall } from "@openledger/challenger/games/claims/ledger-claims";
import {
  type TracedQuery,
  traceQuery,
  tracingKernels,
} from "@openledger/challenger/games/claims/traced-model";
import type { TracedTextModel } from "@openledger/challenger/games/claims/traced-text";
import { tracedOf } from "@openledger/challenger/games/rows/traced-recipe";
import { falseTrace, placeOf } from "@openledger/challenger/games/testing/played-games";
import type { TracedText } from "@openledger/challenger/trace/leaf-rules";
import { chainKernels } from "@openledger/challenger/trace/run-trace";
import type { OpKind } from "@openledger/challenger/trace/trace-op";
import type { TextParts } from "@openledger/models/registered/text-family";
import { MOST_CLAIM_BYTES } from "@openledger/models/registered/text-tokens";
import type { Hex } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { APART, LONGEST_RUN } from "./text-base.ts";
import type { CreatedModel } from "./world.ts";

/** A model that claims are made of. */
export interface ClaimedModel extends CreatedModel {
  readonly published: PublishedModel<TextParts>;
  readonly answering: AnsweringModel<Int16Array>;
  readonly traced: TracedTextModel;
}

/** Prompt, answer and trace of a claim, right or wrong. */
export interface MadeClaim {
  readonly prompt: string;
  readonly answer: string;
  readonly lengths: readonly number[];
  readonly trace: TracedQuery;
}

export interface ClaimLie {
  readonly name: string;
  readonly description: string;
  /** Whether one transaction shows it; else a game. */
  readonly isShown: boolean;
  /** Whether its owner plays the game to its end; else the owner is silent. */
  readonly isFought: boolean;
  /** Whether somebody pays for it: then an epoch's draws are refuted with it. */
  readonly isPaid: boolean;
  make(model: ClaimedModel): MadeClaim;
}

type Tokens = Pick<MadeClaim, "lengths"> & { readonly text: string; readonly tokens: readonly number[] };

/** In the statement, and in the lengths. */
const TOKEN_BYTES = 4 + 2;
const LETTER = "b";
const NOTHING: Tokens = { text: "", tokens: [], lengths: [] };
/** Said to be a run of the other letter. */
const OTHER_RUN: Tokens = {
  text: `${"a".repeat(LONGEST_RUN.bytes - 1)}${LETTER}`,
  ...{ tokens: [LONGEST_RUN.token], lengths: [LONGEST_RUN.bytes] },
};

export const CLAIM_LIES: readonly ClaimLie[] = [
  {
    name: "number",
    description: "one false sum in the middle of the pass, and a q that follows from it; defended to the end",
    ...{ isShown: false, isFought: true, isPaid: true },
    make: (model) => falseClaim(model, "The union?", "chain"),
  },
  {
    name: "query",
    description: "a false q of a right pass; then silence",
    ...{ isShown: false, isFought: false, isPaid: true },
    make: (model) => falseClaim(model, "The navy?", "quantise", (entry) => -entry),
  },
  {
    name: "answer",
    description: "an answer that is not the likeliest, and its right pass; defended to the end",
    ...{ isShown: false, isFought: true, isPaid: false },
    make(model) {
      const right = rightClaim(model, "The peace?");
      const said = JSON.parse(right.answer) as { tokens: number[] };
      const { promptCount, tokens } = right.trace.text;
      const last = tokens.at(-1)! ^ 1;
      const answer = JSON.stringify({ ...said, tokens: said.tokens.with(-1, last) });
      return { ...right, answer, trace: traceOf(model, { promptCount, tokens: tokens.with(-1, last) }) };
    },
  },
  {
    name: "prompt",
    description: "a token that the prompt does not spell, and the right q of that",
    ...{ isShown: true, isFought: false, isPaid: false },
    make(model) {
      const right = rightClaim(model, "The treasury?");
      const { promptCount, tokens } = right.trace.text;
      return { ...right, trace: traceOf(model, { promptCount, tokens: tokens.with(1, tokens[1]! ^ 1) }) };
    },
  },
  {
    name: "largest",
    description: "a claim as large as L1 takes, of two tokens apart behind the longest rules that L1 shows",
    ...{ isShown: true, isFought: false, isPaid: false },
    make: (model) => largestClaim(model, APART, NOTHING),
  },
  {
    name: "last-token",
    description: "a claim as large as L1 takes, whose last token spells something else",
    ...{ isShown: true, isFought: false, isPaid: false },
    make: (model) => largestClaim(model, NOTHING, OTHER_RUN),
  },
];

/** As many bytes as L1 takes, but for less than a token's. All tokens between the ends are the tokenizer's. */
function largestClaim(model: ClaimedModel, first: Tokens, last: Tokens): MadeClaim {
  const { answer, trace } = rightClaim(model, "How?");
  const answered = trace.text.tokens.slice(trace.text.promptCount);
  const ends = [first, last].reduce(
    (sum, { text, tokens }) => sum + text.length + TOKEN_BYTES * tokens.length,
    0,
  );
  const room = MOST_CLAIM_BYTES - Buffer.byteLength(answer) - trace.query.length - 4 * answered.length - ends;
  const runs = Math.floor(room / (LONGEST_RUN.bytes + TOKEN_BYTES));
  const letters = Math.floor((room - runs * (LONGEST_RUN.bytes + TOKEN_BYTES)) / (1 + TOKEN_BYTES));
  const between: Tokens = {
    text: LETTER.repeat(letters) + "a".repeat(LONGEST_RUN.bytes * runs),
    tokens: [
      ...Array<number>(letters).fill(LETTER.charCodeAt(0)),
      ...Array<number>(runs).fill(LONGEST_RUN.token),
    ],
    lengths: [...Array<number>(letters).fill(1), ...Array<number>(runs).fill(LONGEST_RUN.bytes)],
  };
  const all = [first, between, last];
  const tokens = all.flatMap((part) => part.tokens);
  return {
    ...{ answer, prompt: all.map(({ text }) => text).join("") },
    lengths: all.flatMap((part) => part.lengths),
    trace: traceOf(model, { promptCount: tokens.length, tokens: [...tokens, ...answered] }),
  };
}

export function rightClaim(model: ClaimedModel, prompt: string): MadeClaim {
  const { answering, traced } = model;
  const { text: answer } = answering.answer(prompt);
  const text = traced.textOf(prompt, answer);
  return { prompt, answer, lengths: traced.lengthsOf(prompt), trace: traceOf(model, text) };
}

const traceOf = ({ traced }: ClaimedModel, text: TracedText): TracedQuery =>
  traceQuery(traced.model, text, tracingKernels("wasm", traced.model));

/** With one false number in the middle operation of a kind. @param change of the number; default: three times, and two more */
export function falseClaim(
  { answering, traced }: ClaimedModel,
  prompt: string,
  kind: OpKind,
  change?: (number: number) => number,
): MadeClaim {
  const answer = answering.answer(prompt).text;
  const text = traced.textOf(prompt, answer);
  const program = traced.model.programs.of(text.tokens.length - 1);
  const kernels = chainKernels("wasm", [program]);
  const place = placeOf({ program }, kind);
  const trace = falseTrace(traced.model, { program, text }, kernels, place, change);
  return { prompt, answer, lengths: traced.lengthsOf(prompt), trace };
}

/** The call that claims it. */
export function claimCall(
  { owner, published, traced }: ClaimedModel,
  { trace, ...made }: MadeClaim,
  receipt: { readonly payerId: number; readonly salt: bigint },
): Hex {
  const terms = tracedOf(traced, published.recipe, drillAccount(owner).address);
  return claimReceiptCall(traced.model, terms, trace, { ...made, ...receipt });
}
