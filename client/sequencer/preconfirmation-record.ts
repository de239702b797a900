/** Record of a preconfirmation: clients hand it to `onPreconfirmation`, the command line stores it, `verify` reads it. */
import type { OperationBody } from "@openledger/circuits/wire/operation-body";
import type { Address, Hex } from "viem";
import type { Preconfirmation } from "./sequencer-schemas.ts";

/**
 * A preconfirmation with everything that its hash covers: the file that
 * `openledger verify preconfirmations` and `verify equivocation` take.
 */
export interface PreconfirmationRecord {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly preconfirmation: Preconfirmation;
  readonly operation: OperationBody;
  /** B's owner and kind as they were signed. */
  readonly bRef: Hex;
}
