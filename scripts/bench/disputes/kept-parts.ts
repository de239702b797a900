/** What each part has measured last: some take long, and the last line has the fields of all. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import type { DisputesBenchOptions, MeasuredPart } from "./disputes-part.ts";

export interface KeptPart extends Pick<MeasuredPart, "fields"> {
  readonly measuredAt: string;
  readonly options: DisputesBenchOptions;
}

const folder = join(repositoryRoot, ".cache", "bench-disputes");
const pathOf = (name: string) => join(folder, `${name}.json`);

export function keepPart(name: string, { fields }: MeasuredPart, options: DisputesBenchOptions): void {
  mkdirSync(folder, { recursive: true });
  const kept: KeptPart = { measuredAt: new Date().toISOString(), options, fields };
  writeFileSync(pathOf(name), `${JSON.stringify(kept)}\n`);
}

/** null where the part was never measured on this machine. */
export function readKeptPart(name: string): KeptPart | null {
  try {
    return JSON.parse(readFileSync(pathOf(name), "utf8")) as KeptPart;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
