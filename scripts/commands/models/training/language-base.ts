import { KERNEL_CHOICES, type KernelChoice } from "@openledger/models/kernels/create-kernels";
import { commandError } from "../../../cli/cli-errors.ts";

/** @throws CMD_USAGE */
export function kernelsNamed(name: string): KernelChoice {
  const choice = KERNEL_CHOICES.find((known) => known === name);
  if (choice === undefined)
    throw commandError("CMD_USAGE", `"${name}" are no kernels; there are ${KERNEL_CHOICES.join(", ")}`);
  return choice;
}
