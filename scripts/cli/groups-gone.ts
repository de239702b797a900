/**
 * Refusal of groups whose members owned a key together, which earlier versions had (docs/how-to/own-together.md): of their commands,
 * and of leaves whose key a group has. No file of a share is read, written or deleted.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { commandError } from "./cli-errors.ts";
import { workspaceDir } from "./workspace.ts";

/** The error CMD_GROUPS_GONE: nothing was changed. */
export const groupsGone = (): RollupError =>
  commandError("CMD_GROUPS_GONE", "groups that own a key together are gone; nothing was changed");

/** True if an earlier version has left files of shares beside the accounts. */
export function hasGroupShares(): boolean {
  try {
    return readdirSync(join(workspaceDir(), "groups")).some((name) => /\.(json|unconfirmed)$/.test(name));
  } catch {
    return false;
  }
}
