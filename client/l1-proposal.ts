import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Abi, type Address, type Hex, isAddressEqual, type Log, parseEventLogs } from "viem";

/**
 * Where an effect shows; a page that keeps effects parses by these.
 * @internal
 */
export const EFFECT_CONTRACTS = ["rollup", "token", "governor", "gate"] as const;
/**
 * By which event it shows.
 * @internal
 */
export const EFFECT_EVENTS = [
  "QueueEntryAdded",
  "WithdrawalFinalized",
  "Approval",
  "Transfer",
  "DelegateChanged",
  "ProposalCreated",
  "VoteCast",
  "ProposalQueued",
  "ProposalExecuted",
  "Admitted",
] as const;

/** The event that a call leaves, and the arguments by which it is told from others: as text, so that a page can keep it. */
export interface L1Effect {
  readonly contract: (typeof EFFECT_CONTRACTS)[number];
  readonly event: (typeof EFFECT_EVENTS)[number];
  /** Of a governor or gate, which no client knows by itself. */
  readonly address?: Address | undefined;
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

const uint = (name: string) => ({ name, type: "uint256" });
const event = (name: string, inputs: readonly { name: string; type: string; indexed?: boolean }[]) =>
  ({ type: "event", name, inputs: inputs.map((input) => ({ indexed: false, ...input })) }) as const;
/** Of a governor's and a gate's whole interface, which every page would carry, what an effect is found by. */
const OTHER_EVENTS: Abi = [
  event("ProposalCreated", [
    ...[uint("proposalId"), { name: "proposer", type: "address" }],
    ...[
      { name: "targets", type: "address[]" },
      { name: "values", type: "uint256[]" },
    ],
    ...[
      { name: "signatures", type: "string[]" },
      { name: "calldatas", type: "bytes[]" },
    ],
    ...[uint("voteStart"), uint("voteEnd"), { name: "description", type: "string" }],
  ]),
  event("VoteCast", [
    ...[{ name: "voter", type: "address", indexed: true }, uint("proposalId")],
    ...[{ name: "support", type: "uint8" }, uint("weight"), { name: "reason", type: "string" }],
  ]),
  event("ProposalQueued", [uint("proposalId"), uint("etaSeconds")]),
  event("ProposalExecuted", [uint("proposalId")]),
  event("Admitted", [
    { name: "rollup", type: "address", indexed: true },
    { ...uint("modelId"), indexed: true },
    ...[uint("word"), uint("id")],
  ]),
];

/**
 * The contract that an effect is looked for in.
 * @internal
 */
export function effectContract(
  contracts: EffectContracts,
  { address, contract }: L1Effect,
): { address: Address; abi: Abi } {
  if (address !== undefined) return { address, abi: OTHER_EVENTS };
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
