import type { ModelShape } from "@openledger/circuits/settlement/settlement-size";
import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import type { Address, Hex } from "viem";
import type { L1Proposal } from "./l1-proposal.ts";

/**
 * Every error code of client/: what it means, what to do about it, and whether the same call may succeed later
 * without any change of its arguments. Codes of other folders (OP_ …) pass through as the sequencer sent them.
 */
export const clientErrors = {
  CLI_AMOUNT_INVALID: {
    meaning: "the text is no amount of OPEN",
    remedy: "write a decimal number of OPEN such as 12.5, or whole wei such as 1000wei",
    isRetryable: false,
  },
  CLI_PROPOSAL_UNKNOWN: {
    meaning: "the governor has no proposal of this number",
    remedy: "see `openledger vote list`; a number follows from what is proposed, and from the text",
    isRetryable: false,
  },
  CLI_MIGRATION_REFUSED: {
    meaning: "the next rollup is none that this client would put money into",
    remedy: "build the sources that the registry names, compare the code, and deposit there yourself",
    isRetryable: false,
  },
  CLI_WALLET_NOT_DETERMINISTIC: {
    meaning: "the wallet signed the same message twice, differently, so no key can be derived from it",
    remedy: "use a random key instead (createRandomKey, or --random-key) and keep a copy of it",
    isRetryable: false,
  },
  CLI_WALLET_SIGNATURE_UNSUPPORTED: {
    meaning: "the wallet's signature is not a plain ECDSA signature by its own address",
    remedy:
      "a contract wallet has an owner derive the key (deriveKey with contractWallet), or none; any other wallet uses a random key (createRandomKey, or --random-key)",
    isRetryable: false,
  },
  CLI_KEY_MALFORMED: {
    meaning: "the text is not a 32-byte key in hexadecimal",
    remedy: "pass 0x and 64 hexadecimal digits",
    isRetryable: false,
  },
  CLI_NO_L2_KEY: {
    meaning: "the call signs an operation and the client has no L2 key",
    remedy: "create the client with l2Key, from deriveKey or createRandomKey",
    isRetryable: false,
  },
  CLI_NO_CONTRACT: {
    meaning: "the chain of the Ethereum node has no contract at the rollup's address",
    remedy: "compare the address, and name a node of the chain that the rollup is on",
    isRetryable: false,
  },
  CLI_NO_L1_ACCOUNT: {
    meaning: "the call sends an L1 transaction and the client has no L1 account",
    remedy: "create the client with wallet",
    isRetryable: false,
  },
  CLI_WALLET_REJECTED: {
    meaning: "the wallet's owner declined the request",
    remedy: "nothing was signed or sent; ask again when you want to go on",
    isRetryable: true,
  },
  CLI_WALLET_WRONG_CHAIN: {
    meaning: "the wallet is on another network than the rollup",
    remedy: "switch the wallet to the rollup's network; `data.chainId` names it",
    isRetryable: true,
  },
  CLI_WALLET_NO_PERMIT: {
    meaning:
      "a contract wallet signs no permit, since the token takes only a signature of the owner's own key",
    remedy:
      'deposit with permission "batch" where the wallet takes several calls as one, else with "approve"',
    isRetryable: false,
  },
  CLI_WALLET_NO_BATCH: {
    meaning: "the wallet does not take several calls as one (EIP-5792, wallet_sendCalls)",
    remedy: 'nothing was sent; use permission "approve", which sends one transaction after the other',
    isRetryable: false,
  },
  CLI_L1_PROPOSED: {
    meaning: "a contract wallet holds the transaction, and its owners have not executed it yet",
    remedy:
      "have them sign and execute it; awaitProposal goes on waiting for `data.proposal`; do not send it again",
    isRetryable: false,
  },
  CLI_L1_CANCELLED: {
    meaning: "the wallet replaced the transaction by another one before it was mined",
    remedy: "nothing happened on the rollup; send it again if you still want it",
    isRetryable: false,
  },
  CLI_NO_SEQUENCER: {
    meaning: "the call asks the sequencer and the client has no sequencerUrl",
    remedy: "create the client with sequencerUrl",
    isRetryable: false,
  },
  CLI_SEQUENCER_UNREACHABLE: {
    meaning: "the sequencer did not answer",
    remedy:
      "check that it runs and that its address is right; what has --forced needs an Ethereum node alone: name it with --rpc … --rollup …",
    isRetryable: true,
  },
  CLI_SEQUENCER_ANSWER_INVALID: {
    meaning: "the sequencer's answer is not of the documented form",
    remedy: "check that the address belongs to a sequencer of this version",
    isRetryable: false,
  },
  CLI_SEQUENCER_REFUSED: {
    meaning: "the sequencer answered with an error that carries no code",
    remedy: "read the message; if it names no cause, look into the sequencer's log",
    isRetryable: false,
  },
  CLI_WRONG_ROLLUP: {
    meaning: "the sequencer serves another chain or rollup than the client was created for",
    remedy: "use the sequencer, RPC address and rollup address of one deployment",
    isRetryable: false,
  },
  CLI_PRECONFIRMATION_INVALID: {
    meaning: "the preconfirmation is not the sequencer's signature over the operation that was sent",
    remedy: "do not count on the operation; wait until it is posted on L1",
    isRetryable: false,
  },
  CLI_ANSWER_LATE: {
    meaning: "the sequencer's answer took longer than the lease by which it may promise anything",
    remedy: "send the same operation again: it is executed once, and the machine that serves now answers",
    isRetryable: true,
  },
  CLI_LEAF_NOT_FOUND: {
    meaning: "there is no such account, datanet or model",
    remedy: "check the id; a deposit opens an account only once a batch has taken it",
    isRetryable: false,
  },
  CLI_LEAF_AMBIGUOUS: {
    meaning: "several accounts fit, and the call did not say which one",
    remedy: "name the account's id",
    isRetryable: false,
  },
  CLI_LEAF_UNPROVEN: {
    meaning: "what the sequencer says of a leaf does not lead to the root that L1 holds",
    remedy: "do not count on it; ask a follower, or rebuild the ledger from L1 with openledger verify",
    isRetryable: false,
  },
  CLI_LEAF_OWNER_CHANGED: {
    meaning: "the leaf belongs to another address than the caller expects",
    remedy: "ask the payee for a current id",
    isRetryable: false,
  },
  CLI_OPERATION_DROPPED: {
    meaning: "the sequencer dropped the operation, so it will never be executed",
    remedy: "read the reason, then sign and send a new one",
    isRetryable: false,
  },
  CLI_QUEUE_ENTRY_INVALID: {
    meaning: "the queue entry was consumed without effect",
    remedy: "check owner and balance of the leaf; a deposit that was refused can be claimed on L1",
    isRetryable: false,
  },
  CLI_WAIT_TIMEOUT: {
    meaning: "the wanted stage was not reached in time",
    remedy: "wait longer; the operation itself is not affected",
    isRetryable: true,
  },
  CLI_WAIT_ABORTED: {
    meaning: "the caller aborted the wait",
    remedy: "wait again; the operation itself is not affected",
    isRetryable: true,
  },
  CLI_L1_UNREACHABLE: {
    meaning: "the Ethereum node did not answer",
    remedy: "check that it runs and that its address is right",
    isRetryable: true,
  },
  CLI_L1_REVERTED: {
    meaning: "the contract refused the transaction",
    remedy: "the error's name says why; contracts/rollup/IRollup.sol describes each",
    isRetryable: false,
  },
  CLI_TOKEN_BALANCE_TOO_LOW: {
    meaning: "the L1 account holds less OPEN than the call needs",
    remedy: "get OPEN on L1 first, or use a smaller amount",
    isRetryable: false,
  },
  CLI_QUEUE_FEE_TOO_HIGH: {
    meaning: "the fee of L1's queue is above what the caller allows",
    remedy: "allow more (maxFeeWei, or --max-fee), or wait until batches have taken entries",
    isRetryable: true,
  },
  CLI_RECIPIENT_IS_ROLLUP: {
    meaning: "the recipient of a withdrawal is the rollup's contract, which could never use it",
    remedy: "name another recipient",
    isRetryable: false,
  },
  CLI_ROW_INVALID: {
    meaning: "a row is empty or is contributed twice",
    remedy: "leave out the row",
    isRetryable: false,
  },
  CLI_ROWS_MISSING: {
    meaning: "the row store does not hold what a root stands for, or holds something else",
    remedy: "fetch the contributors' rows into the store",
    isRetryable: false,
  },
  CLI_COMMITS_INCOMPLETE: {
    meaning: "the listed commits do not add up to the datanet's chain of contributions",
    remedy: "try again; if it stays so, read the commits from L1's batches, not from this sequencer",
    isRetryable: true,
  },
  CLI_TOO_MANY_EARNERS: {
    meaning: "a version has more (contributor, validator) pairs than an earner tree holds",
    remedy: "publish fewer contributors in one version",
    isRetryable: false,
  },
  CLI_MODEL_SERVER_UNREACHABLE: {
    meaning: "the model server did not answer",
    remedy: "check that it runs and that its address is right",
    isRetryable: true,
  },
  CLI_MODEL_SERVER_ANSWER_INVALID: {
    meaning: "the model server's answer is not of the documented form",
    remedy: "check that the address belongs to a model server of this version",
    isRetryable: false,
  },
  CLI_DATANET_HOST_UNREACHABLE: {
    meaning: "the Datanet host did not answer",
    remedy: "check that it runs and that its address is right, or ask another host",
    isRetryable: true,
  },
  CLI_DATANET_HOST_ANSWER_INVALID: {
    meaning: "the Datanet host's answer is not of the documented form, or it names another address or rollup",
    remedy: "use the address that the host itself names, of a host of this version and rollup",
    isRetryable: false,
  },
  CLI_DATANET_HOST_FALSE: {
    meaning: "the host serves something else than the ledger's roots stand for; `data.what` names it",
    remedy: "nothing of it was stored; ask another host, and do not trust this one",
    isRetryable: false,
  },
  CLI_MODEL_WITHOUT_LABELS: {
    meaning: "the model answers without labels, or with some that are not the card's",
    remedy: "suggest with a model of the same labels, as one that was trained on this datanet",
    isRetryable: false,
  },
  CLI_FACTORY_UNREACHABLE: {
    meaning: "the factory did not answer",
    remedy: "check that it runs and that its address is right; jobs go on when it is started again",
    isRetryable: true,
  },
  CLI_FACTORY_ANSWER_INVALID: {
    meaning:
      "the factory's answer is not of the documented form, or it asks for a signature that it must not have",
    remedy: "use the address that the factory itself names, of a factory of this version and rollup",
    isRetryable: false,
  },
  CLI_VERSION_UNKNOWN: {
    meaning: "the Datanet has never published a version of this number or root",
    remedy: "list its versions with: openledger datanet host show ID",
    isRetryable: false,
  },
  CLI_ANSWER_WRONG: {
    meaning: "an answer, its query or its receipt is not what the published model makes of the prompt",
    remedy: "do not pay; `data.what` names the first field that differs",
    isRetryable: false,
  },
  CLI_PRICE_TOO_HIGH: {
    meaning: "the model's price on the ledger is above what the answer said or the caller allows",
    remedy: "allow more, or do not pay",
    isRetryable: false,
  },
  CLI_NO_SETTLING_CIRCUIT: {
    meaning:
      "the rollup has no settlement circuit for the model's rows, features and draws, so its epochs could go by row counts only",
    remedy: "make the model for the sizes of a circuit of the rollup; data.circuits lists them",
    isRetryable: false,
  },
  CLI_NOTHING_SEALED: {
    meaning: "the model has no sealed epoch to settle",
    remedy: "seal the open one first with: openledger model seal",
    isRetryable: true,
  },
  CLI_NOT_DIRECT: {
    meaning: "the model is not direct, so prompts alone do not say what its queries are",
    remedy: "ask for the settlement instead: openledger verify settlement",
    isRetryable: false,
  },
  CLI_NOT_SETTLED: {
    meaning: "the model has no settlement of this epoch",
    remedy: "list the model's epochs with: openledger model show",
    isRetryable: false,
  },
  CLI_SETTLEMENT_DIFFERS: {
    meaning: "a settlement is not what the published data and L1 make of its epoch",
    remedy: "do not trust this model before the difference is explained",
    isRetryable: false,
  },
  CLI_TOO_EARLY: {
    meaning: "the rules allow this only later",
    remedy: "wait as long as the message says, and try again",
    isRetryable: true,
  },
} as const satisfies Record<string, { meaning: string; remedy: string; isRetryable: boolean }>;

export type ClientErrorCode = keyof typeof clientErrors;

/** What `data` holds, for the codes that callers look into. `clientError` holds every throw to it. Amounts in wei. */
interface ClientErrorData {
  CLI_TOKEN_BALANCE_TOO_LOW: { address: Address; balanceWei: bigint; feeWei: bigint; amountWei?: bigint };
  CLI_QUEUE_FEE_TOO_HIGH: { feeWei: bigint; maxFeeWei: bigint };
  CLI_RECIPIENT_IS_ROLLUP: { recipient: Address };
  CLI_WALLET_NO_PERMIT: { address: Address };
  CLI_L1_PROPOSED: { proposal: L1Proposal };
  CLI_LEAF_OWNER_CHANGED: { id: number; l1Owner: string; expectedOwner: Address };
  CLI_OPERATION_DROPPED: { hash: Hex; reason?: string | null | undefined };
  CLI_QUEUE_ENTRY_INVALID: { queueIndex: number; batchNumber?: number | null | undefined };
  CLI_ROW_INVALID: { index: number; digest: string };
  CLI_COMMITS_INCOMPLETE: { datanetId: number; listedCount: number };
  CLI_TOO_MANY_EARNERS: { earnerCount: number; maxEarnerCount: number };
  /** `what` names the first field that differs. */
  CLI_ANSWER_WRONG: { what: string; given: string | number; right: string | number };
  CLI_PRICE_TOO_HIGH: { modelId: number; priceWei: string; maxPriceWei: string };
  CLI_NO_SETTLING_CIRCUIT: ModelShape & { circuits: readonly string[] };
  CLI_NOT_SETTLED: { modelId: number; epoch: number };
}

type DataOf<Code extends ClientErrorCode> = Code extends keyof ClientErrorData
  ? ClientErrorData[Code]
  : object;
type DetailsOf<Code extends ClientErrorCode> = Code extends keyof ClientErrorData
  ? [details: { data: ClientErrorData[Code]; cause?: unknown }]
  : [details?: { data?: object; cause?: unknown }];

/**
 * A RollupError with the retryability that `clientErrors` gives for the code.
 * @internal
 */
export function clientError<Code extends ClientErrorCode>(
  code: Code,
  message: string,
  ...[details]: DetailsOf<Code>
): RollupError {
  return new RollupError(code, message, { ...details, isRetryable: clientErrors[code].isRetryable });
}

/** Whether `error` has this code of client/. Then its `data` has the type that `ClientErrorData` names. */
export function isClientError<Code extends ClientErrorCode>(
  error: unknown,
  code: Code,
): error is RollupError & { readonly code: Code; readonly data: DataOf<Code> } {
  return isRollupError(error, code);
}
