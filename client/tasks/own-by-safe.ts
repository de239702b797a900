/**
 * Task of the members of a Safe that owns a leaf: propose an operation for L1's queue as the Safe's transaction, collect the owners'
 * signatures, execute it. No service is asked: a proposal goes from member to member as text, a file or a link, and each one's page
 * judges it by L1. Amounts are in wei.
 */
import { type Address, encodeFunctionData, type Hex, isAddressEqual, zeroAddress } from "viem";
import { forcedCall } from "../actions/forced/force.ts";
import type {
  ForceableOperation,
  ForcedApproval,
  ForcedPayment,
  ForcedTransfer,
} from "../actions/forced/forced-operation.ts";
import { allowedFeeWei } from "../actions/forced/queue-fee.ts";
import { approval } from "../actions/l1/approve-token.ts";
import { findProposal } from "../actions/l1/await-proposal.ts";
import type { L1Result } from "../actions/l1/l1-result.ts";
import { callContract, type L1Call, type L1ErrorCode, type L1Options } from "../actions/l1/l1-transaction.ts";
import { refuseRollup } from "../actions/l1/refuse-rollup.ts";
import { clientError } from "../client-errors.ts";
import { isContractAt } from "../contract-wallet.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../ledger-client.ts";
import { type ReadSafeErrorCode, reachable, readSafe, SAFE_ABI, type Safe } from "../safe/read-safe.ts";
import { readSafeCall, type SafeCall } from "../safe/safe-call.ts";
import {
  type JudgedSignatures,
  judgeSignatures,
  ownSignature,
  packSignatures,
  refusedSignature,
} from "../safe/safe-signatures.ts";
import {
  readProposal,
  type SafeProposal,
  type SafeSignature,
  safeArguments,
  safeTxHashOf,
  safeTypedData,
  unpackProposal,
} from "../safe/safe-transaction.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { formatOpen } from "../sequencer/open-amount.ts";
import { walletError } from "../wallet.ts";
import {
  type ApprovalGroundsParameters,
  type CheckApprovalErrorCode,
  checkApproval,
} from "./approve-model.ts";

type OwnerRead<Operation extends { expectedOwner: Address }> = Omit<Operation, "expectedOwner">;
type Grounds = Omit<ApprovalGroundsParameters, "datanetId" | "modelId">;

/**
 * Operation that a Safe can have executed: what `force` takes, with the owners of other leaves as the ledger has them now. An approval
 * has the grounds of `checkApproval`.
 */
export type SafeOperation =
  | Exclude<ForceableOperation, ForcedTransfer | ForcedPayment | ForcedApproval>
  | OwnerRead<ForcedTransfer>
  | OwnerRead<ForcedPayment>
  | (Omit<ForcedApproval, "expectedOwner" | "statics"> & { grounds: Grounds });

/** Owner of a Safe, and whether it counts for a transaction. */
export interface SafeOwnerState {
  readonly address: Address;
  /** signed: by a signature here; approved: on L1. */
  readonly state: "signed" | "approved" | "waiting";
  /** True for an owner that is a contract: it approves on L1 alone. */
  readonly isContract: boolean;
}

/** A proposal as L1 has it now. */
export interface SafeProposalState {
  readonly safe: Safe;
  readonly safeTxHash: Hex;
  readonly call: SafeCall;
  readonly owners: readonly SafeOwnerState[];
  /** Signatures of the proposal that do not count. */
  readonly refused: JudgedSignatures["refused"];
  /** Number of owners who count; the Safe's threshold is needed. */
  readonly signedCount: number;
  /**
   * waits: for owners; ready: anyone may execute it; earlier-first: a transaction of a lower nonce comes first; executed;
   * nonce-used: the Safe has executed another transaction of this nonce, so this one never will be.
   */
  readonly status: "waits" | "ready" | "earlier-first" | "executed" | "nonce-used";
  /** Transaction that executed it. */
  readonly executedBy: Hex | null;
}

/** Factor on the queue's present fee that a proposal may burn: owners sign for days, and the fee rises with the queue. */
const FEE_FACTOR = 2n;

export interface ProposeBySafeParameters {
  safe: Address;
  operation: SafeOperation;
  /** Maximum wei of OPEN to burn. Default: twice the queue's present fee. */
  maxFeeWei?: bigint;
  /** Nonce of the Safe's transaction. Default: the Safe's next one. One that waits already is replaced by this one. */
  nonce?: number;
}
export type ProposeBySafeErrorCode =
  | ReadSafeErrorCode
  | CheckApprovalErrorCode
  | "CLI_INPUT_INVALID"
  | "CLI_QUEUE_FEE_TOO_HIGH"
  | "CLI_SAFE_PROPOSAL_REFUSED"
  | "CLI_TOKEN_BALANCE_TOO_LOW";

/**
 * Makes an operation of a leaf that a Safe owns the Safe's transaction. Nothing is signed or sent.
 * @throws CLI_SAFE_UNKNOWN, CLI_SAFE_PROPOSAL_REFUSED for a nonce that is used, CLI_INPUT_INVALID where the Safe does not own the leaf,
 *   CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, and what `checkApproval` throws for an approval
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const proposal = await proposeBySafe(client, { safe: safeAddress, operation: { type: "setKey", id: 7, keyX } });
 * const signed = await signSafeProposal(client, proposal);
 * ```
 */
export async function proposeBySafe(
  client: LedgerClient,
  { maxFeeWei, nonce, operation, safe: address }: ProposeBySafeParameters,
): Promise<SafeProposal> {
  const safe = await readSafe(client.l1, address);
  const whole = await completed(client, operation, safe.address);
  const [feeWei, balanceWei] = await reachable(() =>
    Promise.all([
      client.l1.readContract({ ...rollupContract(client), functionName: "queueFeeWei" }),
      client.l1.readContract({ ...tokenContract(client), functionName: "balanceOf", args: [safe.address] }),
    ]),
  );
  const allowedWei = allowedFeeWei(feeWei, maxFeeWei ?? feeWei * FEE_FACTOR);
  if (balanceWei < feeWei)
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `the Safe holds ${formatOpen(balanceWei)} OPEN on L1, and the queue's fee is ${formatOpen(feeWei)}`,
      { data: { address: safe.address, balanceWei, feeWei } },
    );
  const call = forcedCall(client, whole, { sender: safe.address, maxFeeWei: allowedWei });
  const proposal = proposalOf(client, safe, call, nonce);
  await requireOwned(client, readSafeCall(client, proposal), safe.address);
  return proposal;
}

export interface ProposeAllowanceParameters {
  safe: Address;
  /** Wei of OPEN that the rollup may burn from then on, for the fees of several entries. */
  amountWei: bigint;
  nonce?: number;
}
export type ProposeAllowanceErrorCode = ReadSafeErrorCode | "CLI_SAFE_PROPOSAL_REFUSED";

/**
 * Proposes that the rollup may take OPEN from a Safe for the queue's fees: without it no entry of the Safe is taken.
 * @throws CLI_SAFE_UNKNOWN, CLI_SAFE_PROPOSAL_REFUSED for a nonce that is used
 * @example
 * ```ts
 * const proposal = await proposeAllowance(client, { safe: safeAddress, amountWei: parseOpen("1") });
 * ```
 */
export async function proposeAllowance(
  client: LedgerClient,
  { amountWei, nonce, safe: address }: ProposeAllowanceParameters,
): Promise<SafeProposal> {
  const safe = await readSafe(client.l1, address);
  return proposalOf(client, safe, approval(client, amountWei, safe.address), nonce);
}

function proposalOf(
  client: LedgerClient,
  { address: safe, blockNumber, nonce: nextNonce }: Safe,
  call: L1Call,
  nonce = nextNonce,
): SafeProposal {
  if (nonce < nextNonce) throw nonceUsed(nonce, nextNonce);
  return {
    safeTransaction: 1,
    chainId: client.chain.id,
    safe,
    to: call.address,
    data: encodeFunctionData(call),
    nonce,
    fromBlock: Number(blockNumber),
    signatures: [],
  };
}

/** Adds what the ledger says about other leaves now. */
async function completed(
  client: LedgerClient,
  operation: SafeOperation,
  safe: Address,
): Promise<ForceableOperation> {
  switch (operation.type) {
    case "transfer":
      return { ...operation, expectedOwner: (await getLeaf(client, operation.to)).l1Owner as Address };
    case "payInference":
      return { ...operation, expectedOwner: (await getLeaf(client, operation.modelId)).l1Owner as Address };
    case "approveModel": {
      const { datanetId, grounds, modelId } = operation;
      await checkApproval(client, { datanetId, modelId, ...grounds });
      const model = await getModel(client, modelId);
      const { hash: _hash, ...statics } = staticsOf(model);
      return { type: "approveModel", datanetId, modelId, statics, expectedOwner: model.l1Owner as Address };
    }
    case "withdraw":
      refuseRollup(client, operation.recipient ?? safe);
      return operation;
    case "setOwner":
      if (
        isAddressEqual(operation.newOwner, zeroAddress) ||
        isAddressEqual(operation.newOwner, client.rollupAddress)
      )
        throw clientError("CLI_INPUT_INVALID", `${operation.newOwner} can own no leaf`, {
          data: { reason: "owner-impossible", newOwner: operation.newOwner },
        });
      return operation;
    default:
      return operation;
  }
}

/** Attack, or a mistake: the queue burns the fee for an entry of a stranger's leaf, too. */
async function requireOwned(client: LedgerClient, call: SafeCall, safe: Address): Promise<void> {
  if (call.kind !== "operation" || call.entry.a === undefined) return;
  const { id, l1Owner } = await getLeaf(client, call.entry.a);
  if (!isAddressEqual(l1Owner as Address, safe))
    throw clientError("CLI_INPUT_INVALID", `leaf ${id} belongs to ${l1Owner}, not to the Safe ${safe}`, {
      data: { reason: "not-owner", id, l1Owner, address: safe },
    });
}

export type ReadSafeProposalStateErrorCode =
  | ReadSafeErrorCode
  | "CLI_L1_REVERTED"
  | "CLI_SAFE_PROPOSAL_REFUSED";

/**
 * Reads what has become of a proposal: by the Safe's own hash, owners, threshold and nonce on L1, whatever the proposal says.
 * @throws CLI_SAFE_UNKNOWN, CLI_SAFE_PROPOSAL_REFUSED for one of another chain or of a foreign call, CLI_L1_REVERTED where it was
 *   executed and the call in it failed, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { owners, signedCount, safe } = await readSafeProposalState(client, safeProposal);
 * console.log(`${signedCount} of ${safe.threshold}`, owners.filter(({ state }) => state === "waiting"));
 * ```
 */
export async function readSafeProposalState(
  client: LedgerClient,
  proposal: SafeProposal,
): Promise<SafeProposalState> {
  const { chainId, nonce } = proposal;
  if (chainId !== client.chain.id)
    throw clientError(
      "CLI_SAFE_PROPOSAL_REFUSED",
      `the proposal is for chain ${chainId}, not ${client.chain.id}`,
      {
        data: { reason: "other-chain", chainId },
      },
    );
  const call = readSafeCall(client, proposal);
  const safe = await readSafe(client.l1, proposal.safe);
  const safeTxHash = safeTxHashOf(proposal);
  const { counting, refused } = await judgeSignatures(proposal, safe.owners);
  const signed = new Set(counting.map(({ owner }) => owner));
  const at = { address: safe.address, abi: SAFE_ABI, blockNumber: safe.blockNumber } as const;
  const [ownHash, ...owners] = await reachable(() =>
    Promise.all([
      client.l1.readContract({
        ...at,
        functionName: "getTransactionHash",
        args: [...safeArguments(proposal), BigInt(nonce)],
      }),
      ...safe.owners.map(async (address): Promise<SafeOwnerState> => {
        const isContract = await isContractAt(client.l1, address);
        if (signed.has(address)) return { address, state: "signed", isContract };
        const approvedWord = await client.l1.readContract({
          ...at,
          functionName: "approvedHashes",
          args: [address, safeTxHash],
        });
        return { address, state: approvedWord === 0n ? "waiting" : "approved", isContract };
      }),
    ]),
  );
  // Attack: a contract that answers as a Safe, and has its owners sign for something else.
  if (ownHash !== safeTxHash)
    throw clientError("CLI_SAFE_UNKNOWN", `${safe.address} has another hash of the transaction than a Safe`, {
      data: { address: safe.address, reason: "other-contract" },
    });
  const signedCount = owners.filter(({ state }) => state !== "waiting").length;
  const common = { safe, safeTxHash, call, owners, refused, signedCount };
  if (nonce < safe.nonce) {
    const { effect } = call;
    const { fromBlock } = proposal;
    const executed = await findProposal(client, {
      account: safe.address,
      hash: safeTxHash,
      isTransaction: false,
      fromBlock: Math.max(fromBlock, Number(safe.blockNumber) - MAX_SEARCHED_BLOCKS),
      effect,
    });
    const executedBy = executed?.transactionHash ?? null;
    return { ...common, status: executed === null ? "nonce-used" : "executed", executedBy };
  }
  const isNext = nonce === safe.nonce;
  const status = !isNext ? "earlier-first" : signedCount >= safe.threshold ? "ready" : "waits";
  return { ...common, status, executedBy: null };
}

/** Blocks of L1 that are searched for an execution: some 70 days. A stranger's proposal may name the first block. */
const MAX_SEARCHED_BLOCKS = 500_000;

export type SignSafeProposalErrorCode =
  | ReadSafeProposalStateErrorCode
  | "CLI_INPUT_INVALID"
  | "CLI_NOT_CONFIGURED"
  | "CLI_SAFE_SIGNATURE_REFUSED"
  | "CLI_WALLET_REJECTED";

/**
 * Has the client's wallet, an owner of the Safe, sign a proposal (EIP-712). The Safe has to own the leaf still.
 * @returns the proposal with the signature
 * @throws CLI_SAFE_SIGNATURE_REFUSED where the wallet owns no part of the Safe, or signs something else;
 *   CLI_SAFE_PROPOSAL_REFUSED where its nonce is used; CLI_INPUT_INVALID where the Safe does not own the leaf; CLI_WALLET_REJECTED
 * @example
 * ```ts
 * const signed = await signSafeProposal(client, safeProposal);
 * console.log(writeProposal(signed));
 * ```
 */
export async function signSafeProposal(client: LedgerClient, proposal: SafeProposal): Promise<SafeProposal> {
  const wallet = requireWallet(client);
  const { call, owners, safe } = await readSafeProposalState(client, proposal);
  const { address } = wallet.account;
  const own = owners.find((one) => isAddressEqual(one.address, address));
  if (own === undefined) throw refusedSignature({ fault: "not-an-owner", owner: address });
  if (own.isContract) throw refusedSignature({ fault: "contract-signature", owner: address });
  if (proposal.nonce < safe.nonce) throw nonceUsed(proposal.nonce, safe.nonce);
  await requireOwned(client, call, safe.address);
  let signature: Hex;
  try {
    signature = await wallet.signTypedData({ account: wallet.account, ...safeTypedData(proposal) });
  } catch (cause) {
    throw walletError(cause) ?? cause;
  }
  const signed = await ownSignature(proposal, safe.owners, signature);
  if (!isAddressEqual(signed.owner, address))
    throw refusedSignature({ fault: "other-transaction", owner: signed.owner });
  return withSignatures(proposal, [signed]);
}

export interface AddSafeSignaturesParameters {
  proposal: SafeProposal;
  /** A proposal with signatures, as JSON, or one signature in hex. */
  text: string;
}
export type AddSafeSignaturesErrorCode =
  | ReadSafeErrorCode
  | "CLI_SAFE_PROPOSAL_REFUSED"
  | "CLI_SAFE_SIGNATURE_REFUSED";

/**
 * Adds the signatures of other owners that somebody has sent. Each is checked against the transaction's hash and the owners on L1.
 * @throws CLI_SAFE_SIGNATURE_REFUSED for the first one that does not count, CLI_SAFE_PROPOSAL_REFUSED for another form or transaction;
 *   then none is added
 * @example
 * ```ts
 * const both = await addSafeSignatures(client, { proposal: safeProposal, text });
 * const state = await readSafeProposalState(client, both);
 * ```
 */
export async function addSafeSignatures(
  client: LedgerClient,
  { proposal, text }: AddSafeSignaturesParameters,
): Promise<SafeProposal> {
  const { owners } = await readSafe(client.l1, proposal.safe);
  const trimmed = text.trim();
  if (/^0x[0-9a-fA-F]{130}$/.test(trimmed))
    return withSignatures(proposal, [await ownSignature(proposal, owners, trimmed as Hex)]);
  const other = readProposal(trimmed);
  if (safeTxHashOf(other) !== safeTxHashOf(proposal))
    throw clientError("CLI_SAFE_PROPOSAL_REFUSED", "the signatures are for another transaction of a Safe", {
      data: { reason: "other-transaction", safe: other.safe, nonce: other.nonce },
    });
  const { counting, refused } = await judgeSignatures(proposal, owners, other.signatures);
  const [first] = refused;
  if (first !== undefined) throw refusedSignature(first);
  return withSignatures(proposal, counting);
}

export interface TakeSafeProposalParameters {
  safe: Address;
  /** A proposal as another owner's page writes it: JSON, or a link's part. */
  sent: { readonly text: string } | { readonly packed: string };
}
export type TakeSafeProposalErrorCode = ReadSafeProposalStateErrorCode | "CLI_SAFE_SIGNATURE_REFUSED";

/**
 * Takes a proposal that somebody has sent: one of this Safe, whose call this rollup has, and that an owner has signed. Anybody can
 * write a proposal, and name any recipient.
 * @throws CLI_SAFE_PROPOSAL_REFUSED for another form, Safe, chain or call, and for one that no owner has signed;
 *   CLI_SAFE_SIGNATURE_REFUSED for the first signature that does not count
 * @example
 * ```ts
 * const theirs = await takeSafeProposal(client, { safe: safeAddress, sent: { text } });
 * const both = await signSafeProposal(client, theirs);
 * ```
 */
export async function takeSafeProposal(
  client: LedgerClient,
  { safe, sent }: TakeSafeProposalParameters,
): Promise<SafeProposal> {
  const proposal = "text" in sent ? readProposal(sent.text) : unpackProposal(sent.packed);
  if (!isAddressEqual(proposal.safe, safe))
    throw clientError(
      "CLI_SAFE_PROPOSAL_REFUSED",
      `the proposal is for the Safe ${proposal.safe}, not ${safe}`,
      {
        data: { reason: "other-safe", safe: proposal.safe },
      },
    );
  const { refused } = await readSafeProposalState(client, proposal);
  const [first] = refused;
  if (first !== undefined) throw refusedSignature(first);
  if (proposal.signatures.length === 0)
    throw clientError("CLI_SAFE_PROPOSAL_REFUSED", "no owner of the Safe has signed the proposal", {
      data: { reason: "unsigned" },
    });
  return proposal;
}

/** Adds signatures; of one owner the newer holds. */
function withSignatures(proposal: SafeProposal, added: readonly SafeSignature[]): SafeProposal {
  const others = proposal.signatures.filter(
    ({ owner }) => !added.some((one) => isAddressEqual(one.owner, owner)),
  );
  return { ...proposal, signatures: [...others, ...added] };
}

export interface ExecuteSafeProposalParameters extends L1Options {
  proposal: SafeProposal;
}
export type ExecuteSafeProposalErrorCode = L1ErrorCode | ReadSafeProposalStateErrorCode;

/**
 * Executes a proposal that enough owners have signed; anyone may, and pays the gas. The Safe is read again first: an owner may have
 * been removed since, or the threshold raised.
 * @throws CLI_SAFE_PROPOSAL_REFUSED where signatures are missing or the nonce is not the Safe's next one, CLI_L1_REVERTED where the
 *   Safe, its guard or the rollup refuses, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { transactionHash } = await executeSafeProposal(client, { proposal: safeProposal });
 * ```
 */
export async function executeSafeProposal(
  client: LedgerClient,
  { proposal, ...options }: ExecuteSafeProposalParameters,
): Promise<L1Result> {
  const { call, owners, safe, signedCount, status } = await readSafeProposalState(client, proposal);
  const { nonce } = proposal;
  if (status === "executed" || status === "nonce-used") throw nonceUsed(nonce, safe.nonce);
  if (status === "earlier-first")
    throw clientError(
      "CLI_SAFE_PROPOSAL_REFUSED",
      `the Safe executes its transaction ${safe.nonce} before ${nonce}`,
      {
        data: { reason: "earlier-first", nonce, nextNonce: safe.nonce },
      },
    );
  if (status === "waits")
    throw clientError("CLI_SAFE_PROPOSAL_REFUSED", `${signedCount} of ${safe.threshold} owners have signed`, {
      data: { reason: "not-enough", signedCount, threshold: safe.threshold },
    });
  const { counting } = await judgeSignatures(proposal, safe.owners);
  const approved = owners.filter(({ state }) => state === "approved").map(({ address }) => address);
  return callContract(
    client,
    {
      address: safe.address,
      abi: SAFE_ABI,
      functionName: "execTransaction",
      args: [...safeArguments(proposal), packSignatures(counting, approved, safe.threshold)],
      effect: call.effect,
    },
    options,
  );
}

const nonceUsed = (nonce: number, nextNonce: number) =>
  clientError("CLI_SAFE_PROPOSAL_REFUSED", `the Safe has executed a transaction of nonce ${nonce} already`, {
    data: { reason: "nonce-used", nonce, nextNonce },
  });
