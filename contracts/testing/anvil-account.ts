/** Accounts of anvil, the local Ethereum node of tests and the devnet. All their keys are public. */
import { pbkdf2Sync } from "node:crypto";
import { toHex } from "viem";
import { type HDAccount, HDKey, hdKeyToAccount } from "viem/accounts";

/** Mnemonic of anvil. All its keys are public. */
export const MNEMONIC = "test test test test test test test test test test test junk";

let root: HDKey | undefined;
const accounts = new Map<number, HDAccount>();

/**
 * Account of anvil, by its index. Each is derived once a process, the seed by node:crypto: viem takes 0.1 s.
 */
export function anvilAccount(addressIndex: number): HDAccount {
  root ??= HDKey.fromMasterSeed(pbkdf2Sync(MNEMONIC, "mnemonic", 2_048, 64, "sha512"));
  const account = accounts.get(addressIndex) ?? hdKeyToAccount(root, { addressIndex });
  accounts.set(addressIndex, account);
  return account;
}

export const anvilPrivateKey = (addressIndex: number): `0x${string}` =>
  toHex(anvilAccount(addressIndex).getHdKey().privateKey!);
