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
export const workspaceDir = (): string =>
  resolve(process.env.OPENLEDGER_HOME ?? join(repositoryRoot, ".openledger"));

const inWorkspace = (name: string) => join(workspaceDir(), name);

export const workspacePaths = {
  get deployment() {
    return inWorkspace("deployment.json");
  },
  get endpoints() {
    return inWorkspace("endpoints.json");
  },
  get accounts() {
    return inWorkspace("accounts.json");
  },
  get rows() {
    return inWorkspace("rows");
  },
};
