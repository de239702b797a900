import { toHex } from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import { readAccountFile, writeAccountFile } from "../../scripts/cli/account-file.ts";
import { workspacePaths } from "../../scripts/cli/workspace.ts";
import { ACCOUNT_INDEX, type AccountName, MNEMONIC, PEOPLE } from "./config.ts";

const accounts = new Map<AccountName, HDAccount>();

/** Made once: a mnemonic's seed takes 2,048 rounds of a hash. */
export function devAccount(name: AccountName): HDAccount {
  const account = accounts.get(name) ?? mnemonicToAccount(MNEMONIC, { addressIndex: ACCOUNT_INDEX[name] });
  accounts.set(name, account);
  return account;
}

export function devPrivateKey(name: AccountName): `0x${string}` {
  return toHex(devAccount(name).getHdKey().privateKey!);
}

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
    warning: `The keys of ${PEOPLE.join(", ")} are anvil's and known to everybody. Never use them elsewhere.`,
    accounts: [...file.accounts, ...added],
  });
}
