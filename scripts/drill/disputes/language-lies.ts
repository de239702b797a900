/** What a language model's hostile owner claims: a query, or a prompt's tokens, that are not the model's. */
import { falseTrace, placeOf } from "@openledger/challenger/internal/games/testing/played-games";
import {
  type TracedQuery,
  traceQuery,
  tracingKernels,
} from "@openledger/challenger/internal/games/traced-model";
import { chainKernels } from "@openledger/challenger/internal/trace/run-trace";
import type { OpKind } from "@openledger/challenger/internal/trace/trace-op";
import type { PlayedModel } from "./language-world.ts";

export interface LanguageLie {
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  /** Whether its owner plays the game to its end; else he is silent. */
  readonly isFought: boolean;
  /** Whether somebody pays for it: then an epoch's draws are refuted with it. */
  readonly isPaid: boolean;
  trace(model: PlayedModel, prompt: string): TracedQuery;
}

export const LANGUAGE_LIES: readonly LanguageLie[] = [
  {
    name: "number",
    description: "one false sum in the middle of the pass, and a q that follows from it; defended to the end",
    ...{ prompt: "The union?", isFought: true, isPaid: true },
    trace: (model, prompt) => falseAt(model, prompt, "chain"),
  },
  {
    name: "query",
    description: "a false q of a right pass; then silence",
    ...{ prompt: "The navy?", isFought: false, isPaid: true },
    trace: (model, prompt) => falseAt(model, prompt, "quantise", (entry) => -entry),
  },
  {
    name: "prompt",
    description:
      "a token that the prompt does not spell, and the right q of that; of a receipt that nobody paid",
    ...{ prompt: "The treasury?", isFought: false, isPaid: false },
    trace: ({ answering, traced }, prompt) => {
      const { promptCount, tokens } = traced.textOf(prompt, answering.answer(prompt).text);
      const text = { promptCount, tokens: tokens.with(1, tokens[1]! ^ 1) };
      return traceQuery(traced.model, text, tracingKernels("wasm", traced.model));
    },
  },
];

/** A trace with one false number in the middle operation of a kind. @param change of the number; default: three times, and two more */
export function falseAt(
  { answering, traced }: PlayedModel,
  prompt: string,
  kind: OpKind,
  change?: (number: number) => number,
): TracedQuery {
  const text = traced.textOf(prompt, answering.answer(prompt).text);
  const program = traced.model.programs.of(text.tokens.length - 1);
  const place = placeOf({ program }, kind);
  return falseTrace(traced.model, { program, text }, kernelsOf([program]), place, change);
}

const kernelsOf = (programs: Parameters<typeof chainKernels>[1]) => chainKernels("wasm", programs);
