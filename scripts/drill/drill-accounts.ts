/** Who acts in a drill. All keys are anvil's own or follow from a number: as public as they can be. */

import { derivePublicKey } from "@openledger/circuits/field/eddsa";
import { toHex } from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";

const MNEMONIC = "test test test test test test test test test test test junk";

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

export function drillAccount(name: DrillAccountName): HDAccount {
  return mnemonicToAccount(MNEMONIC, { addressIndex: INDEX[name] });
}

export function drillPrivateKey(name: DrillAccountName): `0x${string}` {
  return toHex(drillAccount(name).getHdKey().privateKey!);
}

/** Of the operator's fee leaf. */
export const OPERATOR_L2_SECRET = 7n;

export interface DrillUser {
  readonly secret: bigint;
  readonly keyX: bigint;
  readonly l1Owner: `0x${string}`;
  /** As the order of the first deposits gives it. */
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
