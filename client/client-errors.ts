/**
 * Error codes of the client library, with meaning, remedy and the type of each code's data. docs/reference/errors.md is made
 * from this table; programs branch on a code by `isClientError`.
 */
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Address, Hex } from "viem";
import type { L1Proposal } from "./l1-proposal.ts";

/** Codes of client/. Codes of other folders (OP_ …) pass through as the sequencer sent them. */
export const clientErrors = defineErrors("CLI", {
  CLI_INPUT_INVALID: {
    meaning:
      "an argument is invalid (amount, key, row, recipient), or a name fits several accounts; `data.reason`",
    remedy: "correct what the message names",
  },
  CLI_UNKNOWN: {
    meaning: "no such proposal, version, settlement or payment exists; `data.reason` says which",
    remedy: "compare the number or hash with the list: openledger vote list, datanet host show, models show",
  },
  CLI_MIGRATION_REFUSED: {
    meaning:
      "this client does not trust the next rollup with a deposit: its sources or its contract are not the expected ones",
    remedy: "build the sources that the registry names, compare the code, and deposit there yourself",
  },
  CLI_WALLET_UNSUPPORTED: {
    meaning:
      "the wallet cannot derive a key by a deterministic signature, sign a permit, or batch calls; `data.reason`",
    remedy: 'use a random key (createRandomKey, --random-key), or permission "approve", as the message says',
  },
  CLI_NOT_CONFIGURED: {
    meaning:
      "the call needs an option that the client was created without; `data.missing` is l2Key, wallet or sequencerUrl",
    remedy: "pass it to createClient: l2Key comes from deriveKey or createRandomKey",
  },
  CLI_WRONG_ROLLUP: {
    meaning:
      "the sequencer or the Ethereum node serves another chain or rollup than the client's, or has no contract there",
    remedy: "use the sequencer, RPC address and rollup address of one deployment",
  },
  CLI_NOT_DEVNET: {
    meaning: "the Ethereum node is of a public chain, whose clock nobody can move; `data.chainId` names it",
    remedy: "wait there; to let a day pass, name the node of a devnet (npm start)",
  },
  CLI_BOND_INVALID: {
    meaning: "the contract is not the bond of this rollup's sequencer",
    remedy: "take the bond's address from the deployment record",
  },
  CLI_WALLET_REJECTED: {
    meaning: "the wallet's owner declined the request",
    remedy: "nothing was signed or sent; ask again when you want to go on",
    isRetryable: true,
  },
  CLI_WALLET_UNAVAILABLE: {
    meaning:
      'the wallet named no account; `data.reason` is "pending": an earlier request of this site waits in it, or "failed"',
    remedy: "open the wallet, unlock it, and answer what waits there; then try again",
    isRetryable: true,
  },
  CLI_WALLET_WRONG_CHAIN: {
    meaning: "the wallet is on another network than the rollup",
    remedy: "switch the wallet to the rollup's network; `data.chainId` names it",
    isRetryable: true,
  },
  CLI_L1_PROPOSED: {
    meaning: "the transaction waits in a contract wallet for its owners to execute it",
    remedy: "have its owners execute it; awaitProposal waits for `data.proposal`; do not send it again",
  },
  CLI_SAFE_UNKNOWN: {
    meaning: "the address is no Safe that this release reads (1.3.0, 1.4.1, 1.5.0); `data.reason`",
    remedy: "compare the address with the one in your Safe's own app; nothing was signed",
    note: "`data.reason` is no-contract, other-contract or version.",
  },
  CLI_SAFE_PROPOSAL_REFUSED: {
    meaning: "a proposal to a Safe cannot be signed or executed; `data.reason`",
    remedy: "propose again where the nonce is used; do not sign what the message does not name",
    note: "`data.reason` is form, other-chain, other-safe, foreign-call, other-transaction, unsigned, nonce-used, earlier-first or not-enough.",
  },
  CLI_SAFE_SIGNATURE_REFUSED: {
    meaning: "a signature of a Safe's transaction does not count; `data.reason`",
    remedy: "have that owner sign the proposal as it is shown here; nothing was added",
    note: "`data.reason` is not-an-owner, other-transaction, contract-signature, pre-validated or malformed.",
  },
  CLI_L1_CANCELLED: {
    meaning: "the wallet replaced the transaction before it was mined",
    remedy: "nothing changed on the rollup; send it again if you still want it",
  },
  CLI_UNREACHABLE: {
    meaning: "a server that the client uses did not answer; `data.server` names it",
    remedy:
      "check that it runs and that its address is right; openledger force needs only an Ethereum node (--rpc … --rollup …)",
    isRetryable: true,
  },
  CLI_ANSWER_INVALID: {
    meaning:
      "a server's reply is malformed, an error without a code, or of another address or rollup; `data.server` names it",
    remedy: "use the address that the server itself names, with this version and rollup",
  },
  CLI_BELOW_LEAST: {
    meaning:
      "a part of the reply has less assurance than you accept; `data.part`, `data.given`, `data.minAssurance`",
    remedy: "nothing was signed; ask another model, or accept less (models ask --min-assurance)",
  },
  CLI_PRECONFIRMATION_INVALID: {
    meaning: "the preconfirmation is not signed by the sequencer, or not for the operation that was sent",
    remedy: "do not rely on the operation until it is posted on L1",
  },
  CLI_LEAF_NOT_FOUND: {
    meaning: "no such account, Datanet or model exists",
    remedy: "check the id; a deposit opens an account once a batch includes it",
  },
  CLI_LEAF_UNPROVEN: {
    meaning: "the sequencer's value for a leaf does not lead to the root on L1",
    remedy: "do not rely on it; ask a full node, or rebuild the ledger from L1 with openledger verify",
  },
  CLI_LEAF_OWNER_CHANGED: {
    meaning: "the leaf belongs to another address than the caller expects",
    remedy: "ask the recipient for their current id",
  },
  CLI_OPERATION_DROPPED: {
    meaning: "the sequencer dropped the operation: it will never be executed",
    remedy: "read the reason, then sign and send a new operation",
  },
  CLI_QUEUE_ENTRY_INVALID: {
    meaning: "the queue entry was processed without effect",
    remedy: "check owner and balance of the leaf; a refused deposit can be paid out on L1",
  },
  CLI_WAIT_ENDED: {
    meaning: "the requested stage was not reached in time, or the wait was aborted; `data.reason`",
    remedy: "wait again; the operation itself is not affected",
    isRetryable: true,
  },
  CLI_ETHER_TOO_LOW: {
    meaning: "the address has too little ether for the gas, and the value, of a transaction",
    remedy: "nothing was sent; get ether on this network, then try again",
  },
  CLI_L1_REFUSED: {
    meaning: "the Ethereum node answered, and refused the request; the message ends with its own words",
    remedy: "nothing was sent; ask another Ethereum node, or one whose plan allows the request",
  },
  CLI_L1_LOGS_INCOMPLETE: {
    meaning:
      "the Ethereum node's logs lack an event that the contract's own state shows, or begin after it; `data.what` says which",
    remedy:
      "nothing was sent; try again, or use another Ethereum node: this one lags behind itself, leaves out logs, or shows no older blocks",
    isRetryable: true,
  },
  CLI_L1_REVERTED: {
    meaning: "the contract reverted the transaction",
    remedy: "the error's name says why; contracts/rollup/IRollup.sol describes each one",
  },
  CLI_TOKEN_BALANCE_TOO_LOW: {
    meaning: "the L1 account holds less OPEN than the call needs",
    remedy: "get OPEN on L1 first, or use a smaller amount",
  },
  CLI_QUEUE_FEE_TOO_HIGH: {
    meaning: "the fee of L1's queue is above the limit that the caller set",
    remedy: "allow more (maxFeeWei, or --max-fee), or wait until batches have taken entries",
    isRetryable: true,
  },
  CLI_ROLLUP_ENDS: {
    meaning: "the rollup is ending or frozen: no deposit is sent into it; `data.mode`",
    remedy: "take out what is yours with: openledger withdraw all, or, once it is frozen, openledger exit",
  },
  CLI_NOTHING_TO_FINALIZE: {
    meaning: "L1 owes the address nothing now: no posted batch has credited more than was paid out",
    remedy: "wait until the withdrawal's batch is posted (openledger status shows it), then finalize",
  },
  CLI_MODEL_BEGUN: {
    meaning:
      "the same model was created at another price, and waits for its activation. `data.modelId`, `data.priceWei`",
    remedy:
      "register it at the price that it was created with; for another price, register once more after that",
  },
  CLI_ROWS_MISSING: {
    meaning: "the row store does not have the rows of a root, or has other content for it",
    remedy:
      "fetch the rows first: openledger datanet download ID --host URL, and --commits for rows that are in no version",
  },
  CLI_ROW_WITHDRAWN: {
    meaning:
      "the row's bytes are needed, the row store does not have them, and the row's contributor has withdrawn the row; `data` has both",
    remedy:
      "train on a newer version, which leaves the row out; only a copy of the row from before can recompute the older one",
  },
  CLI_CERTIFICATE_WRONG: {
    meaning: "a certificate of removal does not hold; `data.reason` says what",
    remedy:
      "do not rely on it; have the model trained on a version without the row, computed again by somebody, and certified then",
    note: "`data.reason` is malformed, domain, not-withdrawn, record-other, record-signature, not-contributor, commit-list, version-list, row-present, model, row-count, payees, several-datanets, recomputation-missing, recomputation-repeated or difference.",
  },
  CLI_PAPERS_WRONG: {
    meaning:
      "a model's papers, or the recipe that they would be written from, are not what the ledger and its hosts say; `data.reason`",
    remedy:
      "do not rely on what `data.fields` names; write the papers again with openledger models card, and compare",
    note: "`data.reason` is differs, with each field in `data.fields`, or recipe, where the model's server shows another model's.",
  },
  CLI_COMMITS_INCOMPLETE: {
    meaning:
      "the sequencer's list of commits does not reproduce the Datanet's hash chain of contributions, or has pruned its first versions",
    remedy:
      "try again; if the error persists, read the commits from a full node or L1's batches, not from this sequencer",
    isRetryable: true,
  },
  CLI_DATANET_HOST_FALSE: {
    meaning: "the host serves data that does not match the roots on the ledger; `data.what` names it",
    remedy: "none of it was stored; use another host, and do not trust this one",
  },
  /** `records` names the first 20. */
  CLI_COMMITS_MISSING: {
    meaning:
      "a new version would go without rows that were approved or published before, since nobody who was asked has them; `data` names the commits",
    remedy:
      "ask another host (--mirror URL), or bring the rows into the store; --without-missing publishes without them",
  },
  CLI_RECORDS_UNSIGNED: {
    meaning:
      "a host shows records that no key of their leaf is known to have signed, or that one of the Datanet's people signed by a replaced key; `data` names them",
    remedy:
      "have their leaves sign again (openledger datanet sign-again), or use another host; --without-unsigned computes without them",
  },
  CLI_MODEL_APPROVED: {
    meaning: "the Datanet has approved the model already",
    remedy: "no action is needed",
  },
  CLI_WRONG_MODEL: {
    meaning:
      "the model is of the wrong kind for this call: its labels are not the card's, or it is not direct; `data.reason`",
    remedy: "use a model of the kind that the message names",
  },
  /** `what` names the first field that differs. */
  CLI_ANSWER_WRONG: {
    meaning: "answer, query or receipt differ from what the published model computes for the prompt",
    remedy: "do not pay; `data.what` names the first field that differs",
  },
  CLI_PRICE_TOO_HIGH: {
    meaning: "the model's price on the ledger is above the price of the answer, or above the caller's limit",
    remedy: "allow more, or do not pay",
  },
  CLI_RECEIPT_PAID: {
    meaning:
      "the ledger has a payment of this account for the receipt already, by whatever way; `data.epoch`, `data.hash`",
    remedy: "nothing was signed; the answer is open at the model's server: GET /v1/answers/RECEIPT",
  },
  CLI_BUDGET_SPENT: {
    meaning:
      "the price is above what is left of the budget, or of the account's balance; `data.reason` says which",
    remedy: "nothing was asked or signed; raise the budget, or deposit more OPEN",
  },
  CLI_PAYER_NO_ACCOUNT: {
    meaning:
      "the key has no account on the rollup, so it can pay for nothing there; `data.accountUrl` says how to get one",
    remedy:
      "deposit OPEN with this key at `data.accountUrl`, or by deposit of the client library, then ask again",
  },
  CLI_X402_INVALID: {
    meaning:
      "the server's requirements of x402 are malformed, of another rollup, or of no request of this scheme's fetch",
    remedy: "wrap the scheme's own fetch: wrapFetchWithPayment(scheme.fetch, …); else do not pay this server",
    note: "`data.reason` is malformed, network, asset, payTo, model or no-question.",
  },
  CLI_SETTLEMENT_DIFFERS: {
    meaning:
      "a settlement differs from what L1 and the published data give for its epoch; `data.what` is the first difference",
    remedy: "do not trust this model until the difference is explained",
  },
});

export type ClientErrorCode = CodeOf<typeof clientErrors>;

/** A field of a model's paper that is not what the ledger and its hosts say. */
export interface PaperFieldDifference {
  /** Name of the paper's file. */
  paper: string;
  field: string;
  /** null where the paper does not have the field. */
  given: string | null;
  right: string | null;
}

/** Types of `data`, for the codes whose data callers read. `clientError` enforces them. Amounts are in wei. */
interface ClientErrorData {
  CLI_TOKEN_BALANCE_TOO_LOW: { address: Address; balanceWei: bigint; feeWei: bigint; amountWei?: bigint };
  CLI_QUEUE_FEE_TOO_HIGH: { feeWei: bigint; maxFeeWei: bigint };
  CLI_L1_PROPOSED: { proposal: L1Proposal };
  CLI_SAFE_UNKNOWN: { address: Address; reason: "no-contract" | "other-contract" | "version" };
  CLI_SAFE_SIGNATURE_REFUSED: { reason: string; owner: Address | null };
  CLI_LEAF_OWNER_CHANGED: { id: number; l1Owner: string; expectedOwner: Address };
  CLI_OPERATION_DROPPED: { hash: Hex; reason?: string | null | undefined };
  CLI_QUEUE_ENTRY_INVALID: { queueIndex: number; batchNumber?: number | null | undefined };
  CLI_COMMITS_INCOMPLETE: { datanetId: number; listedCount: number; versionCount: number };
  /** Commits that were approved, else all that were passed over, at most 20 of `count`; rows of the published version that would go. */
  CLI_COMMITS_MISSING: {
    datanetId: number;
    count: number;
    lostCount: number;
    commits: readonly {
      contributorId: number;
      rowsRoot: string;
      rowCount: number;
      committedAtMs: number | null;
    }[];
  };
  CLI_RECORDS_UNSIGNED: {
    hostUrl: string;
    datanetId: number;
    count: number;
    records: readonly {
      kind: string;
      leafId: number;
      about: string;
      why: "foreign" | "former" | "not-named" | "unknown";
    }[];
  };
  /** Fields that differ, at most 100 of `fieldCount`. */
  CLI_PAPERS_WRONG:
    | { reason: "recipe" }
    | { reason: "differs"; fieldCount: number; fields: readonly PaperFieldDifference[] };
  CLI_MODEL_APPROVED: { datanetId: number; modelId: number };
  /** `part` names the first part of the reply below `minAssurance`. */
  CLI_BELOW_LEAST: { part: string; given: string; minAssurance: string };
  /** `what` names the first field that differs. */
  CLI_ANSWER_WRONG: { what: string; given: string | number; right: string | number };
  CLI_RECEIPT_PAID: { modelId: number; receipt: string; epoch: number; hash: string };
  CLI_BUDGET_SPENT: { reason: "budget" | "balance"; priceWei: string; leftWei: string };
  CLI_PAYER_NO_ACCOUNT: { keyX: string; network: string; accountUrl: string };
  CLI_X402_INVALID: { reason: string };
  CLI_PRICE_TOO_HIGH: { modelId: number; priceWei: string; maxPriceWei: string };
}

type DataOf<Code extends ClientErrorCode> = Code extends keyof ClientErrorData
  ? ClientErrorData[Code]
  : object;
type DetailsOf<Code extends ClientErrorCode> = Code extends keyof ClientErrorData
  ? [details: { data: ClientErrorData[Code]; cause?: unknown }]
  : [details?: { data?: object; cause?: unknown; remedy?: string }];

/**
 * RollupError with the retryability and remedy that `clientErrors` gives for its code.
 * @internal
 */
export function clientError<Code extends ClientErrorCode>(
  code: Code,
  message: string,
  ...[details]: DetailsOf<Code>
): RollupError {
  return clientErrors.raise(code, message, details);
}

/** Returns true if `error` has this code of client/. Its `data` then has the type in `ClientErrorData`. */
export function isClientError<Code extends ClientErrorCode>(
  error: unknown,
  code: Code,
): error is RollupError & { readonly code: Code; readonly data: DataOf<Code> } {
  return isRollupError(error, code);
}
