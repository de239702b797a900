import { type Abi, type Address, type Hex, isAddressEqual, type Log, parseEventLogs } from "viem";
import { openTokenAbi, rollupAbi } from "../contracts/build/rollup-abi.ts";

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

/**
 * An effect from values as viem takes them.
 * @internal
 */
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

/** Where both contracts are: a client has them. */
export interface EffectContracts {
  readonly rollupAddress: Address;
  readonly tokenAddress: Address;
}

/**
 * The contract that an effect is looked for in.
 * @internal
 */
export function effectContract(
  contracts: EffectContracts,
  { contract }: L1Effect,
): { address: Address; abi: Abi } {
  return contract === "rollup"
    ? { address: contracts.rollupAddress, abi: rollupAbi as Abi }
    : { address: contracts.tokenAddress, abi: openTokenAbi as Abi };
}

/**
 * The arguments of the event by which an effect shows in a transaction's logs; null where it does not. Others may stand beside
 * it: of other entries, and of other contracts with an event of that name.
 * @internal
 */
export function findEffectArgs(
  contracts: EffectContracts,
  effect: L1Effect,
  logs: readonly Log[],
): Readonly<Record<string, unknown>> | null {
  const { address, abi } = effectContract(contracts, effect);
  const own = logs.filter((log) => isAddressEqual(log.address, address));
  const events = parseEventLogs({ abi, logs: own, eventName: effect.event });
  const wanted = Object.entries(effect.args);
  const found = events
    .map((event) => event.args as Readonly<Record<string, unknown>>)
    .find((args) =>
      wanted.every(([name, value]) => String(args[name]).toLowerCase() === value.toLowerCase()),
    );
  return found ?? null;
}
