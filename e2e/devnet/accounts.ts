/**
 * Accounts of the devnet's people (alice, bob …), with anvil's public keys, and their entry into the command line's accounts
 * file.
 */
import { anvilAccount, anvilPrivateKey } from "@openledger/contracts/testing/anvil-account";
import { readAccountFile, writeAccountFile } from "@openledger/scripts/cli/account-file";
import { workspacePaths } from "@openledger/scripts/cli/workspace";
import type { HDAccount } from "viem/accounts";
import { ACCOUNT_INDEX, type AccountName, PEOPLE } from "./config.ts";

export const devAccount = (name: AccountName): HDAccount => anvilAccount(ACCOUNT_INDEX[name]);
export const devPrivateKey = (name: AccountName): `0x${string}` => anvilPrivateKey(ACCOUNT_INDEX[name]);

/** Puts the devnet's people into the accounts file, beside those that somebody has added. */
export async function writeDevAccounts(): Promise<void> {
  const path = workspacePaths.accounts;
  const file = readAccountFile(path);
  const known = new Set(file.accounts.map(({ name }) => name));
  const added = PEOPLE.filter((name) => !known.has(name)).map((name) => ({
    name,
    address: devAccount(name).address,
    privateKey: devPrivateKey(name),
    keyIndex: 0,
  }));
  if (added.length === 0) return;
  await writeAccountFile(path, {
    warning: `The keys of ${PEOPLE.join(", ")} are anvil's and publicly known. Never use them elsewhere.`,
    accounts: [...file.accounts, ...added],
  });
}
