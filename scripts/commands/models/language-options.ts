/** Shared options of the commands that run language models on this machine: base, kernels, weights, and parsers of numbers. */
import { InvalidArgumentError } from "commander";
import { defineOptions } from "../../cli/options.ts";

/** Options of the commands that run language models. */
export const BASE_OPTION = defineOptions({
  "--base <path>": {
    about:
      "base model: default for the built-in one, or a folder or URL with config.json and safetensors or model.gguf",
    isRequired: true,
  },
});

export interface BaseOptions {
  base: string;
  kernels: string;
}

export interface GenerateOptions extends BaseOptions {
  weights?: string;
  adapter?: string;
  tokens: string;
  temperature: string;
  seed: string;
}

export interface TuneOptions extends BaseOptions {
  weights?: string;
  text: string;
  out: string;
  steps: string;
  rank: string;
  rate: string;
  threads: string;
  seed: string;
}

export interface BaseCommandOptions {
  add?: string;
  derive?: string;
  kernels: string;
  threads: string;
}

/** Choice of kernels (models/engine/kernels/). */
export const KERNELS_OPTION = defineOptions({
  "--kernels <set>": "compute kernels: native, avx512-vnni, avx512, avx2 or wasm; all give the same result",
});

/** Format of the base's weights. */
export const WEIGHTS_OPTION = defineOptions({
  "--weights <numbers>":
    "numbers of the base's weights: float32 or int8; default int8 from 67 million numbers on",
});

/** @throws InvalidArgumentError for what is no number of the range */
export function parseNumber(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`${name} is ${text}: it must be a number from ${min} to ${max}`);
}

/** Parses a whole number as `parseNumber` parses a number. */
export function parseCount(text: string, name: string, min: number, max: number): number {
  const value = parseNumber(text, name, min, max);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError(`${name} is ${text}: it must be a whole number`);
}
