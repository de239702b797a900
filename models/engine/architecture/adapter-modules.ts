/**
 * Names of a model's modules as PEFT has them, and the patterns of names by which an adapter gives some modules another rank or
 * alpha (`rank_pattern`, `alpha_pattern`). adapter-layout.ts sizes an adapter by them; adapter-files.ts names tensors by them.
 */
import type { ModelShape } from "./model-shape.ts";

/** A linear map, or a part of the outputs of one, as PEFT names it. */
export type AdapterTarget =
  | "q_proj"
  | "k_proj"
  | "v_proj"
  | "o_proj"
  | "gate_proj"
  | "up_proj"
  | "down_proj"
  | "c_attn"
  | "attn.c_proj"
  | "c_fc"
  | "mlp.c_proj";

/** Path of a module from the top of the base, as `named_modules` of transformers has it. */
export function moduleName({ family }: ModelShape, layer: number, target: AdapterTarget): string {
  const block = /^(gate|up|down)_/.test(target) ? "mlp." : "self_attn.";
  if (family === "llama") return `model.layers.${layer}.${block}${target}`;
  const inside: Partial<Record<AdapterTarget, string>> = { c_attn: "attn.c_attn", c_fc: "mlp.c_fc" };
  return `transformer.h.${layer}.${inside[target] ?? target}`;
}

/** Values by patterns of names, in the file's order: the first pattern that matches counts. */
export type ModulePatterns = readonly (readonly [pattern: string, value: number])[];

const ATOM = String.raw`(?:\w|\.|\\[.d]|\[[\w-]+\]|\((?:\?:)?\w+(?:\|\w+)*\))`;
const PATTERN = new RegExp(String.raw`^\^?(?:${ATOM}[*+]?)+$`);
const MAX_PATTERN_LENGTH = 200;
/**
 * Attack: a stranger's expression with many repetitions takes time without end. A name has some 50 letters: with two of them
 * a match takes some 10^5 steps at most.
 */
const MAX_REPETITIONS = 2;

/**
 * The expression by which PEFT matches names: a whole name, or its end from a dot on. null for what is not read here: Python's
 * expressions are taken as far as they mean the same in JavaScript and end soon.
 */
export function patternExpression(pattern: string): RegExp | null {
  if (pattern.length > MAX_PATTERN_LENGTH || !PATTERN.test(pattern)) return null;
  if ((pattern.match(/[*+]/g)?.length ?? 0) > MAX_REPETITIONS) return null;
  try {
    return new RegExp(`^(?:.*\\.)?(?:${pattern})$`);
  } catch {
    return null;
  }
}

/** The value of the first pattern that matches; undefined if none does. @param patterns that `patternExpression` takes */
export function patternValue(patterns: ModulePatterns, name: string): number | undefined {
  return patterns.find(([pattern]) => patternExpression(pattern)!.test(name))?.[1];
}
