import type { Address, Hex } from "viem";
import type { OperationBody } from "./operation-body.ts";
import type { Receipt } from "./sequencer-schemas.ts";

/** A receipt with all that its hash is of: the file that `openledger contradiction` takes. */
export interface KeptReceipt {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly receipt: Receipt;
  readonly operation: OperationBody;
  /** B's owner and kind as they were signed; null in a submission of an older version. */
  readonly bRef: Hex | null;
}
