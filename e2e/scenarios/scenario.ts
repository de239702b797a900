/** Shared parts of the scenarios: the command line's options, the clock of their progress lines, folders that stay or go. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BACKEND_NAMES } from "@openledger/prover/backends";
import { type Command, InvalidArgumentError, Option } from "commander";

export interface Outcome {
  /** The command's last line, as JSON. */
  readonly facts: object;
  /** Lines printed before that line: tables, and faults. */
  readonly lines: readonly string[];
  /** false: the command ends with status 1. */
  readonly isGood: boolean;
}

export interface Scenario {
  /** Name, description and options. */
  readonly command: Command;
  /** @throws DRL_… if something does not happen that has to */
  run(options: never, tell: (text: string) => void): Promise<Outcome | readonly Outcome[]>;
}

export function scenario<Options>(
  command: Command,
  run: (options: Options, tell: (text: string) => void) => Promise<Outcome | readonly Outcome[]>,
): Scenario {
  return { command, run };
}

export const good = (facts: object, lines: readonly string[] = []): Outcome => ({
  facts,
  lines,
  isGood: true,
});

export const keepOption = () =>
  new Option("--keep <folder>", "folder for logs and data, kept afterwards").default(null);
export const proverOption = () =>
  new Option("--prover <backend>", "prover back end").choices(BACKEND_NAMES).default("wasm");

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It has to be a number above 0.");
  return value;
}

export function count(text: string): number {
  const value = positive(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("It has to be a whole number.");
  return value;
}

/** @param keep where everything stays; null: a temporary folder, which is removed at the end */
export async function withFolder<T>(
  keep: string | null,
  name: string,
  run: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = keep ?? mkdtempSync(join(tmpdir(), `openledger-${name}-`));
  mkdirSync(folder, { recursive: true });
  try {
    return await run(folder);
  } finally {
    if (keep === null) rmSync(folder, { recursive: true, force: true });
  }
}
