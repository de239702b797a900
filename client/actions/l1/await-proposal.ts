/**
 * Waits for the execution of a proposal to a contract wallet, such as a Safe. The wallet executes a transaction when enough of
 * its owners have signed: perhaps days later, sent by somebody else, under a hash that nobody knows before. Its execution is
 * recognised by the event that the call leaves.
 */
import type { BlockRange } from "@openledger/contracts/l1/block-chunks";
import {
  type Address,
  isAddressEqual,
  isHex,
  type Log,
  numberToHex,
  type TransactionReceipt,
  toEventSelector,
} from "viem";
import { clientError } from "../../client-errors.ts";
import { effectContract, findEffectArgs, type L1Effect, type L1Proposal } from "../../l1-proposal.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { findReceipt, type L1Result, l1Error, readL1Result } from "./l1-result.ts";
import { type EventSearch, logsCut, type SearchedBlocks, searchNewestFirst } from "./search-events.ts";

export interface AwaitProposalOptions {
  /** Milliseconds to wait. Default: ten minutes. */
  timeoutMs?: number;
}

export type FindProposalErrorCode =
  | "CLI_L1_LOGS_INCOMPLETE"
  | "CLI_L1_REFUSED"
  | "CLI_L1_REVERTED"
  | "CLI_UNREACHABLE";
export type AwaitProposalErrorCode = FindProposalErrorCode | "CLI_L1_PROPOSED";

/** Time for a contract wallet's owners to execute a proposal. */
const WAIT_MS = 600_000;

/** A Safe's own events, whose first argument is the `safeTxHash`: indexed since 1.4. */
const SAFE_SUCCESS = toEventSelector("ExecutionSuccess(bytes32,uint256)");
const SAFE_FAILURE = toEventSelector("ExecutionFailure(bytes32,uint256)");

/**
 * Waits until a contract wallet has executed a proposal. A Safe names the proposals that it executes. For any other
 * wallet an entry of the same content counts that the wallet makes meanwhile: they cannot be told apart.
 * @throws CLI_L1_PROPOSED where it was not executed in time; CLI_L1_LOGS_INCOMPLETE where that is unknown, since the node does
 *   not show all blocks since the proposal; CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * // `onProposed` stores the proposal to a Safe: its other owners may sign tomorrow.
 * const proposals: L1Proposal[] = [];
 * await finalizeWithdrawal(client, { onProposed: (proposal) => void proposals.push(proposal) });
 * for (const proposal of proposals) await awaitProposal(client, proposal, { timeoutMs: 86_400_000 });
 * ```
 */
export async function awaitProposal(
  client: LedgerClient,
  proposal: L1Proposal,
  options: AwaitProposalOptions = {},
): Promise<L1Result> {
  const { timeoutMs = WAIT_MS } = options;
  const startedAt = Date.now();
  let searched: SearchedBlocks | undefined;
  for (;;) {
    const search = await searchProposal(client, proposal, searched);
    if (search.found !== null) return search.found;
    if (Date.now() - startedAt >= timeoutMs) {
      // A node may have left the event out when its block was searched.
      const again = await findProposal(client, proposal);
      if (again !== null) return again;
      throw clientError(
        "CLI_L1_PROPOSED",
        `${proposal.account} has not executed ${proposal.hash} within ${Math.round(timeoutMs / 1000)} s`,
        { data: { proposal } },
      );
    }
    searched = search.searched;
    await new Promise((resolve) => setTimeout(resolve, client.l1.pollingInterval));
  }
}

/**
 * Looks up a proposal once; null where it was not executed yet.
 * @throws CLI_L1_LOGS_INCOMPLETE where that is unknown, since the node does not show all blocks since the proposal;
 *   CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const result = await findProposal(client, proposal);
 * console.log(result === null ? "other owners have to sign" : `executed by ${result.transactionHash}`);
 * ```
 */
export async function findProposal(client: LedgerClient, proposal: L1Proposal): Promise<L1Result | null> {
  const search = await searchProposal(client, proposal);
  if (search.found !== null || !search.searched.isCut) return search.found;
  throw logsCut(`the execution of ${proposal.hash}`, search.searched, { proposal });
}

/**
 * Looks up a proposal in the blocks that no earlier look has read.
 * @param before blocks that an earlier look has read
 * @throws CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function searchProposal(
  client: LedgerClient,
  proposal: L1Proposal,
  before?: SearchedBlocks,
): Promise<EventSearch<L1Result>> {
  try {
    const firstBlock = BigInt(proposal.fromBlock);
    const byHash = isHex(proposal.hash) && proposal.hash.length === 66;
    const receipt = byHash ? await findReceipt(client, proposal.hash) : null;
    if (receipt !== null) return { found: requireEffect(client, proposal, receipt) };
    const range = { firstBlock, searched: before };
    const search = await searchNewestFirst(client, range, async (fromBlock, toBlock) => {
      const chunk = { fromBlock, toBlock };
      const named = byHash ? await findSafeExecution(client, proposal, chunk) : null;
      return named ?? findEffect(client, proposal, chunk);
    });
    return search.found === null ? search : { found: requireEffect(client, proposal, search.found) };
  } catch (cause) {
    throw l1Error(cause, "the wallet's transaction");
  }
}

/** Requires the effect: a wallet's transaction may succeed while the call in it fails. */
function requireEffect(client: LedgerClient, proposal: L1Proposal, receipt: TransactionReceipt): L1Result {
  const result = readL1Result(receipt);
  if (findEffectArgs(client, proposal.effect, receipt.logs) !== null) return result;
  const { transactionHash: hash } = result;
  throw clientError("CLI_L1_REVERTED", `transaction ${hash} was executed, but the call in it failed`, {
    data: { hash },
  });
}

type Chunk = Pick<BlockRange, "fromBlock" | "toBlock">;

async function findEffect(
  client: LedgerClient,
  { account, effect, isTransaction }: L1Proposal,
  chunk: Chunk,
): Promise<TransactionReceipt | null> {
  const logs = await client.l1.getContractEvents({
    ...effectContract(client, effect),
    eventName: effect.event,
    args: addressesOf(effect),
    ...chunk,
  });
  for (const log of logs) {
    if (findEffectArgs(client, effect, [log]) === null || log.transactionHash === null) continue;
    const receipt = await findReceipt(client, log.transactionHash);
    // A Safe names its proposals, and this one has another name: the wallet did the same for another reason.
    if (receipt === null || (!isTransaction && receipt.logs.some((other) => isSafeEvent(other, account))))
      continue;
    return receipt;
  }
  return null;
}

const isSafeEvent = ({ address, topics }: Log, account: Address) =>
  isAddressEqual(address, account) && (topics[0] === SAFE_SUCCESS || topics[0] === SAFE_FAILURE);

async function findSafeExecution(
  client: LedgerClient,
  { account, hash }: L1Proposal,
  { fromBlock, toBlock }: Chunk,
): Promise<TransactionReceipt | null> {
  const filter = {
    address: account,
    fromBlock: numberToHex(fromBlock),
    toBlock: numberToHex(toBlock),
    topics: [[SAFE_SUCCESS, SAFE_FAILURE]],
  };
  const logs = await client.l1.request({ method: "eth_getLogs", params: [filter] });
  const lowerHash = hash.toLowerCase();
  const found = logs.find(({ data, topics }) => (topics[1] ?? data.slice(0, 66)).toLowerCase() === lowerHash);
  return found?.transactionHash ? findReceipt(client, found.transactionHash) : null;
}

/** Every effect names the wallet by an indexed address, so a node has little to send. */
function addressesOf({ args }: L1Effect): Record<string, string> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => /^0x[0-9a-fA-F]{40}$/.test(value)));
}
