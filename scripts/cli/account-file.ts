/**
 * File of named accounts of the command line, with private keys in clear text (mode 600). Commands that sign find their account
 * here.
 */
import { Secret } from "@openledger/foundation/secret";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { Hex } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { z } from "zod";
import { commandError } from "./cli-errors.ts";

/** An account as commands use it: an Ethereum key, and the ledger keys that come from it. */
export interface NamedAccount {
  readonly name: string;
  readonly l1: PrivateKeyAccount;
  /** Highest index of a derived L2 key that was ever used; older leaves may still have older keys. */
  readonly keyIndex: number;
  /** Random L2 key, if one was made. */
  readonly l2Secret: Secret<Hex> | null;
}

const key = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform((text) => text as Hex);
const fileSchema = z.object({
  warning: z.string().optional(),
  accounts: z.array(
    z.object({
      name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "names are lower-case letters, digits and dashes"),
      address: z.string(),
      privateKey: key,
      keyIndex: z.int().nonnegative().default(0),
      l2Secret: key.optional(),
    }),
  ),
});
type AccountFile = z.infer<typeof fileSchema>;
type StoredAccount = AccountFile["accounts"][number];

/** @throws CMD_ACCOUNT_INVALID. A file that is not there is an empty one. */
export function readAccountFile(path: string): AccountFile {
  const text = readIfPresent(path);
  if (text === null) return { accounts: [] };
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw commandError("CMD_ACCOUNT_INVALID", `${path} is no accounts file: ${why}`, {
      data: { reason: "accounts-malformed", path },
      cause,
    });
  }
}

/** The file holds keys in clear text: readable by its owner alone. */
export async function writeAccountFile(path: string, file: AccountFile): Promise<void> {
  await writeFileWhole(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
}

/** @throws CMD_ACCOUNT_INVALID */
export function findAccount(path: string, name: string): NamedAccount {
  const { accounts } = readAccountFile(path);
  const stored = accounts.find((account) => account.name === name);
  if (stored === undefined) {
    const known = accounts.map((account) => account.name);
    throw commandError("CMD_ACCOUNT_INVALID", `there is no account "${name}" in ${path}`, {
      data: { reason: "unknown-account", name, known },
    });
  }
  return openAccount(stored);
}

function openAccount(stored: StoredAccount): NamedAccount {
  return {
    name: stored.name,
    l1: privateKeyToAccount(stored.privateKey),
    keyIndex: stored.keyIndex,
    l2Secret: stored.l2Secret === undefined ? null : new Secret(stored.l2Secret),
  };
}

/** Makes an account with a new Ethereum key and stores it. @throws CMD_ACCOUNT_INVALID, CMD_USAGE for a bad name */
export async function addAccount(
  path: string,
  options: { name: string; l2Secret?: Secret<Hex> },
): Promise<NamedAccount> {
  const file = readAccountFile(path);
  if (file.accounts.some(({ name }) => name === options.name)) {
    throw commandError("CMD_ACCOUNT_INVALID", `there is an account "${options.name}" already`, {
      data: { reason: "account-exists", path },
    });
  }
  const privateKey = generatePrivateKey();
  const stored = {
    name: options.name,
    address: privateKeyToAccount(privateKey).address,
    privateKey,
    keyIndex: 0,
    ...(options.l2Secret === undefined ? {} : { l2Secret: options.l2Secret.reveal() }),
  };
  const checked = fileSchema.safeParse({ ...file, accounts: [...file.accounts, stored] });
  if (!checked.success) throw commandError("CMD_USAGE", z.prettifyError(checked.error).replace(/\n.*/s, ""));
  await writeAccountFile(path, checked.data);
  return openAccount(stored);
}

/** Notes a key in the file before it is used, so that a kill in between loses nothing. */
export async function noteKeyIndex(path: string, name: string, keyIndex: number): Promise<void> {
  const file = readAccountFile(path);
  const accounts = file.accounts.map((account) =>
    account.name === name ? { ...account, keyIndex } : account,
  );
  await writeAccountFile(path, { ...file, accounts });
}
