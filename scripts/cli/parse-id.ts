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

/** A block's number. @throws CMD_USAGE */
export function parseBlock(text: string): bigint {
  if (!/^\d{1,15}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no block's number`);
  return BigInt(text);
}
