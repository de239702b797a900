/**
 * New wallet that an account is to move to: its address and ledger key, both public. The page has it in the browser's storage,
 * since the new wallet and the old one are connected one after the other; on two machines it is copied as a code.
 */
import { hex32 } from "@openledger/foundation/hex";
import { signal } from "@preact/signals";
import { type Address, getAddress, isAddress } from "viem";
import { type RollupIdentity, rollupKey } from "../ledger/rollup-storage.ts";

export interface MoveTarget {
  readonly address: Address;
  /** 0: a contract wallet, which has no ledger key. */
  readonly keyX: bigint;
}

/** The target that this browser knows; null: none. */
export const moveTarget = signal<MoveTarget | null>(null);

/** Code of a target, as people copy it: the address, a dash, the key. */
export const codeOf = ({ address, keyX }: MoveTarget): string => `${address}-${hex32(keyX)}`;

/** Reads a code; null where it is none. */
export function readCode(text: string): MoveTarget | null {
  const [address = "", key = "", ...rest] = text.trim().split("-");
  // With its checksum: a code that lost a digit is none.
  if (rest.length > 0 || !isAddress(address) || !/^0x[0-9a-fA-F]{64}$/.test(key)) return null;
  return { address: getAddress(address), keyX: BigInt(key) };
}

const storageKey = (rollup: RollupIdentity) => rollupKey("move", rollup);

export function loadTarget(rollup: RollupIdentity): void {
  moveTarget.value = readCode(localStorage.getItem(storageKey(rollup)) ?? "");
}

export function storeTarget(rollup: RollupIdentity, target: MoveTarget | null): void {
  if (target === null) localStorage.removeItem(storageKey(rollup));
  else localStorage.setItem(storageKey(rollup), codeOf(target));
  moveTarget.value = target;
}
