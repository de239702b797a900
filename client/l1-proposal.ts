/**
 * Proposals to contract wallets such as a Safe: the transaction's hash is unknown until the owners execute it, so it is found by
 * the event that it causes. Stored as JSON by pages and programs; `awaitProposal` waits for it.
 */
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { type Abi, type Address, type Hex, isAddressEqual, type Log, parseEventLogs } from "viem";

/**
 * Contracts that effects are found on; a page that stores effects parses by these.
 * @internal
 */
export const EFFECT_CONTRACTS = ["rollup", "token", "governor", "bond"] as const;
/**
 * Events by which effects are found.
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
  "BondDeposited",
  "WithdrawalAnnounced",
  "BondWithdrawn",
  "EquivocationCommitted",
  "EquivocationShown",
] as const;

/** The event of a call, and the arguments that distinguish it from others: as text, so that a page can store it. */
export interface L1Effect {
  readonly contract: (typeof EFFECT_CONTRACTS)[number];
  readonly event: (typeof EFFECT_EVENTS)[number];
  /** Address of a governor or a bond, which no client knows by itself. */
  readonly address?: Address | undefined;
  readonly args: Readonly<Record<string, string>>;
}

/** A proposal to a contract wallet. It survives JSON. */
export interface L1Proposal {
  readonly account: Address;
  /** The wallet's name for it: a Safe's `safeTxHash`, the id of `wallet_sendCalls`, or a transaction's hash. */
  readonly hash: Hex;
  /** True if the node knew a transaction of that hash when it was sent. */
  readonly isTransaction: boolean;
  /** First block that may have executed it. */
  readonly fromBlock: number;
  readonly effect: L1Effect;
}

/**
 * An effect from values in viem's form.
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

/** Addresses of both contracts, as a client has them. */
export interface EffectContracts {
  readonly rollupAddress: Address;
  readonly tokenAddress: Address;
}

const uint = (name: string) => ({ name, type: "uint256" });
const event = (name: string, inputs: readonly { name: string; type: string; indexed?: boolean }[]) =>
  ({ type: "event", name, inputs: inputs.map((input) => ({ indexed: false, ...input })) }) as const;
/** Events of governor and bond by which an effect is found: their whole interfaces would load every page. */
const OTHER_EVENTS: Abi = [
  event("ProposalCreated", [
    uint("proposalId"),
    { name: "proposer", type: "address" },
    { name: "targets", type: "address[]" },
    { name: "values", type: "uint256[]" },
    { name: "signatures", type: "string[]" },
    { name: "calldatas", type: "bytes[]" },
    uint("voteStart"),
    uint("voteEnd"),
    { name: "description", type: "string" },
  ]),
  event("VoteCast", [
    { name: "voter", type: "address", indexed: true },
    uint("proposalId"),
    { name: "support", type: "uint8" },
    uint("weight"),
    { name: "reason", type: "string" },
  ]),
  event("ProposalQueued", [uint("proposalId"), uint("etaSeconds")]),
  event("ProposalExecuted", [uint("proposalId")]),
  event("BondDeposited", [
    { name: "from", type: "address", indexed: true },
    uint("amountWei"),
    uint("bondWei"),
  ]),
  event("WithdrawalAnnounced", [uint("amountWei"), uint("availableAt")]),
  event("BondWithdrawn", [uint("amountWei"), uint("bondWei")]),
  event("EquivocationCommitted", [{ name: "commitment", type: "bytes32", indexed: true }]),
  event("EquivocationShown", [
    { name: "beneficiary", type: "address", indexed: true },
    { name: "opIndex", type: "uint64", indexed: true },
    { name: "firstOperationHash", type: "bytes32" },
    { name: "secondOperationHash", type: "bytes32" },
    uint("rewardWei"),
    uint("burnedWei"),
  ]),
];

/**
 * The contract on which an effect is found.
 * @internal
 */
export function effectContract(
  contracts: EffectContracts,
  { address, contract }: L1Effect,
): { address: Address; abi: Abi } {
  if (address !== undefined) return { address, abi: OTHER_EVENTS };
  return contract === "rollup"
    ? { address: contracts.rollupAddress, abi: rollupUserAbi as Abi }
    : { address: contracts.tokenAddress, abi: openTokenAbi as Abi };
}

/**
 * Arguments of an effect's event in a transaction's logs; null where the event is missing. Other events may stand beside
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
  const expected = Object.entries(effect.args);
  const found = events
    .map((event) => event.args as Readonly<Record<string, unknown>>)
    .find((args) =>
      expected.every(([name, value]) => String(args[name]).toLowerCase() === value.toLowerCase()),
    );
  return found ?? null;
}
