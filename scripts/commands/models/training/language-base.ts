/** Parsers of --weights and --kernels for the commands that run language models on this machine. */
import {
  type ParameterLayout,
  usualWeights,
  WEIGHT_NUMBERS,
  type WeightNumbers,
} from "@openledger/models/engine/architecture/model-shape";
import { KERNEL_CHOICES, type KernelChoice } from "@openledger/models/engine/kernels/create-kernels";
import { commandError } from "../../../cli/cli-errors.ts";

/** @throws CMD_USAGE */
export function parseWeights(name: string | undefined, layout: ParameterLayout): WeightNumbers {
  if (name === undefined) return usualWeights(layout);
  const numbers = WEIGHT_NUMBERS.find((known) => known === name);
  if (numbers === undefined)
    throw commandError("CMD_USAGE", `weights are ${WEIGHT_NUMBERS.join(" or ")}, not "${name}"`);
  return numbers;
}

/** @throws CMD_USAGE */
export function parseKernels(name: string): KernelChoice {
  const choice = KERNEL_CHOICES.find((known) => known === name);
  if (choice === undefined)
    throw commandError("CMD_USAGE", `"${name}" are no kernels; there are ${KERNEL_CHOICES.join(", ")}`);
  return choice;
}
