/**
 * Operations that L1's queue takes, as parameters of `force`, and the queue entry of each (docs/reference/l1-format.md). Amounts
 * are in wei; "all" is the leaf's balance when the entry is executed.
 */
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { hashStatics, type ModelStatics } from "@openledger/circuits/ledger/leaf";
import type { EntryRequest } from "@openledger/circuits/ledger/operation";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { BINDING, BINDING_REST_BITS, KIND, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import type { Address } from "viem";
import type { VersionCommitments } from "../data/version-commitments.ts";

/** Moves OPEN to another leaf. */
export interface ForcedTransfer {
  type: "transfer";
  /** The leaf that pays; its l1Owner must be the client's L1 account. */
  id: number;
  /** The leaf that is paid. */
  to: number;
  amountWei: bigint | "all";
  /** The entry has no effect unless `to` belongs to this address when it is executed. */
  expectedOwner: Address;
}

/** Withdraws OPEN to L1. */
export interface ForcedWithdrawal {
  type: "withdraw";
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  amountWei: bigint | "all";
  /** Default: the L1 account. */
  recipient?: Address;
}

/** Claims a payee's rewards: all that is earned when the entry is executed goes to the leaf's balance. */
export interface ForcedClaim {
  type: "claimRewards";
  /** The contributor's or validator's leaf; its l1Owner must be the client's L1 account. */
  id: number;
  modelId: number;
  /** Index in the model's payee table. */
  payeeIndex: number;
  /** Half of the payee that the leaf is. */
  role: keyof typeof PAYEE_ROLE;
}

/**
 * Closes a model's open epoch. Anyone may, 24 hours after the timestamp at which the epoch began, which may be an hour older
 * than its block; younger ones stay open.
 */
export interface ForcedClose {
  type: "closeEpoch";
  modelId: number;
}

/** Replaces a leaf's key, for an owner who has lost the old one. */
export interface ForcedKey {
  type: "setKey";
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  /** The new key; 0 leaves the leaf to forced operations alone. */
  keyX: bigint;
}

/** Hands a leaf over to another Ethereum address. */
export interface ForcedOwner {
  type: "setOwner";
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  newOwner: Address;
}

/** Pays a model for one answer, in the epoch that is open when the entry is executed. */
export interface ForcedPayment {
  type: "payInference";
  /** The leaf that pays; its l1Owner must be the client's L1 account. */
  id: number;
  modelId: number;
  /** Payment: the model's price or more. */
  amountWei: bigint;
  /** Receipt that came with the answer. */
  receipt: bigint;
  /** The entry has no effect unless the model belongs to this address when it is executed. */
  expectedOwner: Address;
}

/** Approves a model, from 24 hours after the version's publication by L1's time of the entry. */
export interface ForcedApproval {
  type: "approveModel";
  /** The Datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  modelId: number;
  /** Statics that the model was created with, as the approver has checked them. */
  statics: ModelStatics;
  /** The entry has no effect unless the model belongs to this address when it is executed. */
  expectedOwner: Address;
}

/** Ends new payments to a model, or takes back an approval that waits for others. */
export interface ForcedRevocation {
  type: "revokeModel";
  /** The Datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  modelId: number;
}

/** Commits rows to a Datanet. Keep the rows to yourself until a batch has the entry. */
export interface ForcedCommit {
  type: "commitData";
  /** The contributor; its l1Owner must be the client's L1 account. */
  id: number;
  datanetId: number;
  /** Root of the rows' list, which `storeContribution` returns. */
  rowsRoot: bigint;
  rowCount: number;
}

/** Publishes a version of a Datanet. */
export interface ForcedPublication {
  type: "publishVersion";
  /** The Datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  /** Commitments of the version, which `commitVersion` returns. */
  version: Pick<VersionCommitments, "rowsRoot" | "ownersCommitment" | "payeeRoot" | "rowCount">;
  /** The hash of the Datanet's card (docs/explanation/datanets.md); 0 = none. The entry replaces the present one. */
  policy: bigint;
}

/** Operation that L1's queue takes from an owner; `closeEpoch` from anybody. */
export type ForceableOperation =
  | ForcedTransfer
  | ForcedWithdrawal
  | ForcedClaim
  | ForcedClose
  | ForcedKey
  | ForcedOwner
  | ForcedPayment
  | ForcedApproval
  | ForcedRevocation
  | ForcedCommit
  | ForcedPublication;

const weiOf = (amountWei: bigint | "all") => (amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei);

/**
 * The queue's entry of an operation, as the ledger judges it: a command checks it before it is sent.
 * @param sender gets what is withdrawn to nobody else
 * @param l1Seconds L1's time, which the contract puts into an approval and a close: what an entry is judged by, and not what it
 *   is sent with
 * @internal
 */
export function forcedEntry(operation: ForceableOperation, sender: Address, l1Seconds = 0n): EntryRequest {
  switch (operation.type) {
    case "transfer": {
      const { amountWei, expectedOwner, id: a, to: b } = operation;
      const word1 = BigInt(expectedOwner);
      return { kind: KIND.forcedTransfer, a, b, amountWei: weiOf(amountWei), word1 };
    }
    case "withdraw": {
      const { amountWei, id: a, recipient = sender } = operation;
      return { kind: KIND.forcedWithdraw, a, amountWei: weiOf(amountWei), word1: BigInt(recipient) };
    }
    case "claimRewards": {
      const { id: a, modelId: b, payeeIndex, role } = operation;
      return { kind: KIND.forcedClaimRewards, a, b, word1: packClaim(payeeIndex, PAYEE_ROLE[role]) };
    }
    case "closeEpoch":
      return { kind: KIND.forcedCloseEpoch, b: operation.modelId, word1: l1Seconds };
    case "setKey":
      return { kind: KIND.forcedSetKey, a: operation.id, word1: operation.keyX };
    case "setOwner":
      return { kind: KIND.forcedSetOwner, a: operation.id, word1: BigInt(operation.newOwner) };
    case "payInference": {
      const { amountWei, expectedOwner, id: a, modelId: b, receipt: word2 } = operation;
      return { kind: KIND.forcedPayInference, a, b, amountWei, word1: BigInt(expectedOwner), word2 };
    }
    case "approveModel": {
      const { datanetId: a, expectedOwner, modelId: b, statics } = operation;
      const amountWei = (statics.binding >> BINDING.predecessor) | (l1Seconds << BigInt(BINDING_REST_BITS));
      const words = { word1: BigInt(expectedOwner), word2: hashStatics(statics) };
      return { kind: KIND.forcedApproveModel, a, b, amountWei, ...words };
    }
    case "revokeModel":
      return { kind: KIND.forcedRevokeModel, a: operation.datanetId, b: operation.modelId };
    case "commitData": {
      const { datanetId: b, id: a, rowCount, rowsRoot: word2 } = operation;
      return { kind: KIND.forcedCommitData, a, b, amountWei: BigInt(rowCount), word2 };
    }
    case "publishVersion": {
      const { datanetId: a, policy: word4, version } = operation;
      const { ownersCommitment: word2, payeeRoot: word3, rowCount, rowsRoot: word1 } = version;
      const words = { word1, word2, word3, word4 };
      return { kind: KIND.forcedPublishVersion, a, amountWei: BigInt(rowCount), ...words };
    }
    default:
      return operation satisfies never;
  }
}
