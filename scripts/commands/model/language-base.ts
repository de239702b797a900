import type { FileSource } from "../../../models/files/byte-source.ts";
import { folderSource } from "../../../models/files/folder-source.ts";
import { urlSource } from "../../../models/files/url-source.ts";
import { KERNEL_CHOICES, type KernelChoice } from "../../../models/kernels/create-kernels.ts";
import { commandError } from "../../cli/cli-errors.ts";

/** A folder, or what lies below an address. */
export function sourceAt(path: string): FileSource {
  return /^https?:\/\//.test(path) ? urlSource(path) : folderSource(path);
}

/** @throws CMD_USAGE */
export function kernelsNamed(name: string): KernelChoice {
  const choice = KERNEL_CHOICES.find((known) => known === name);
  if (choice === undefined)
    throw commandError("CMD_USAGE", `"${name}" are no kernels; there are ${KERNEL_CHOICES.join(", ")}`);
  return choice;
}
