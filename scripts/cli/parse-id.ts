/** Parsers of commands' arguments: ids of leaves, epochs, rows, blocks, ports, roots. A wrong text is an error of usage. */
import { rowIndex } from "@openledger/foundation/row-number";
import { InvalidArgumentError } from "commander";
import { commandError } from "./cli-errors.ts";

/** A leaf's id. @throws CMD_USAGE */
export function parseId(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no leaf id`);
  return Number(text);
}

/** An epoch's number. @throws CMD_USAGE */
export function parseEpoch(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no epoch`);
  return Number(text);
}

/**
 * Indices of a version's rows by their numbers, as 3,7-9. Beyond `rowCount` only the first is listed.
 * @throws CMD_USAGE
 */
export function parseRows(text: string, rowCount: number): number[] {
  return text.split(",").flatMap((part) => {
    const [, first, last = first] = /^\s*(\d{1,8})(?:-(\d{1,8}))?\s*$/.exec(part) ?? [];
    const from = Number(first);
    if (from === 0) throw commandError("CMD_USAGE", `"${part}": row numbers begin at 1`);
    const end = Math.min(Number(last), Math.max(from, rowCount + 1));
    if (end >= from) return Array.from({ length: end - from + 1 }, (_, i) => rowIndex(from + i));
    throw commandError("CMD_USAGE", `"${part}" names no rows; they are written as 3,7-9`);
  });
}

/** A block's number. @throws CMD_USAGE */
export function parseBlock(text: string): bigint {
  if (!/^\d{1,15}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no block's number`);
  return BigInt(text);
}

/** A number of L1's blocks. @throws InvalidArgumentError */
export function parseDepth(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("not a number of blocks");
  return Number(text);
}

/** A port; 0 for any free one. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError("not a port");
  return Number(text);
}

export function parseVersionRoot(text: string): bigint {
  if (!/^0x[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError("not a root of 0x and 64 digits");
  return BigInt(text);
}

/** Roots with commas between. */
export const parseRoots = (text: string): bigint[] => text.split(",").map(parseVersionRoot);
