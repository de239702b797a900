/**
 * Folder of a local devnet, ".openledger", and its files. The devnet writes them; commands read addresses and accounts from
 * them.
 */
import { join, resolve } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";

/**
 * Folder of a local devnet; deleting it forgets the devnet. OPENLEDGER_HOME names another folder, for a second devnet
 * on the same machine.
 */
export const workspaceDir = resolve(process.env.OPENLEDGER_HOME ?? join(repositoryRoot, ".openledger"));

export const workspacePaths = {
  deployment: join(workspaceDir, "deployment.json"),
  endpoints: join(workspaceDir, "endpoints.json"),
  accounts: join(workspaceDir, "accounts.json"),
  rows: join(workspaceDir, "rows"),
} as const;
