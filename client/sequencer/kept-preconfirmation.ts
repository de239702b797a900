import type { Address, Hex } from "viem";
import type { OperationBody } from "./operation-body.ts";
import type { Preconfirmation } from "./sequencer-schemas.ts";

/** A preconfirmation with all that its hash is of: the file that `openledger verify preconfirmations` takes. */
export interface KeptPreconfirmation {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly preconfirmation: Preconfirmation;
  readonly operation: OperationBody;
  /** B's owner and kind as they were signed; null in a submission of an older version. */
  readonly bRef: Hex | null;
}
