import type { Address, Hex } from "viem";

/** The event that a call leaves, and the arguments by which it is told from others: as text, so that a page can keep it. */
export interface L1Effect {
  readonly contract: "rollup" | "token";
  readonly event: "QueueEntryAdded" | "WithdrawalClaimed" | "Approval" | "Transfer";
  readonly args: Readonly<Record<string, string>>;
}

/** What a contract wallet was asked to do. JSON keeps it. */
export interface L1Proposal {
  readonly account: Address;
  /** The wallet's name for it: a Safe's `safeTxHash`, the id of `wallet_sendCalls`, or a transaction's hash. */
  readonly hash: Hex;
  /** Whether the node knew a transaction of that hash when it was sent. */
  readonly isTransaction: boolean;
  /** It was executed in no block before this one. */
  readonly fromBlock: number;
  readonly effect: L1Effect;
}

/** An effect from values as viem takes them. */
export function effectOf(
  contract: L1Effect["contract"],
  event: L1Effect["event"],
  args: Readonly<Record<string, string | number | bigint>>,
): L1Effect {
  return {
    contract,
    event,
    args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, String(value)])),
  };
}
