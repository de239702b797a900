/** Accounts of a drill. All keys are anvil's own or follow from a number: as public as they can be. */

import { derivePublicKey } from "@openledger/circuits/testing/known-signers";
import { anvilAccount, anvilPrivateKey } from "@openledger/contracts/testing/anvil-account";
import { toHex } from "viem";
import type { HDAccount } from "viem/accounts";

/** Order of anvil's accounts. */
const INDEX = {
  operator: 0,
  faucet: 1,
  treasury: 2,
  hostile: 5,
  watcher: 6,
  builder: 7,
  customer: 8,
} as const;
export type DrillAccountName = keyof typeof INDEX;

export const drillAccount = (name: DrillAccountName): HDAccount => anvilAccount(INDEX[name]);

export const drillPrivateKey = (name: DrillAccountName): `0x${string}` => anvilPrivateKey(INDEX[name]);

/** Secret of the operator's fee leaf. */
export const OPERATOR_L2_SECRET = 7n;

export interface DrillUser {
  readonly secret: bigint;
  readonly keyX: bigint;
  readonly l1Owner: `0x${string}`;
  /** Leaf id by the order of the first deposits. */
  readonly leafId: number;
}

const FIRST_USER_LEAF = 2;

/** @param index 0 for the first */
export function drillUser(index: number): DrillUser {
  const secret = 5_000n + BigInt(index);
  return {
    secret,
    keyX: derivePublicKey(secret).x,
    l1Owner: toHex(0xd1a0n + BigInt(index), { size: 20 }),
    leafId: FIRST_USER_LEAF + index,
  };
}
