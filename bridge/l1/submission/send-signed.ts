/**
 * Sends a signed transaction to an Ethereum node and classifies the answer: taken, nonce held by another, paid too little,
 * other pool. Texts differ by client and version, so the node is asked for the transaction and for the account's nonce first;
 * texts are a hint where neither decides. send-signed.test.ts has the clients' own texts, with their sources. The publisher and
 * `openledger deploy` send by it.
 */

import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Address, Hex } from "viem";
import { type L1Client, l1Call } from "../l1-client.ts";

export type SendAnswer =
  /** The node has it, or its nonce is used up: receipts tell by which attempt. */
  | "taken"
  /** Another transaction of the nonce is in the pool, and this one pays too little to take its place. */
  | "nonce held"
  /** The node refuses all transactions that pay so little. */
  | "underpriced"
  /** The account has a transaction in the node's pool for the other kind, blobs or none (empty-blob.ts). */
  | "other pool";

const WORDS: readonly (readonly [SendAnswer, RegExp])[] = [
  [
    "other pool",
    /address already reserved|type ?conflict|conflicting|conflicts with existing|can't replace blob/i,
  ],
  [
    "nonce held",
    /replacement transaction underpriced|replacement gas too low|could not replace existing|to replace existing transaction|replacement ?not ?allowed/i,
  ],
  [
    "taken",
    /already known|alreadyknown|already imported|known transaction|txn? with same hash|already in the txpool|nonce too low|old ?nonce|no peer connection available/i,
  ],
  [
    "underpriced",
    /underpriced|fee ?too ?low|less than block base fee|below (configured minimum|current) |minimum gas price/i,
  ],
];

export interface SignedTransaction {
  readonly raw: Hex;
  readonly transactionHash: Hex;
  readonly account: Address;
  readonly nonce: number;
}

type SendingClient = Pick<L1Client, "sendRawTransaction" | "getTransactionCount"> & {
  getTransaction(named: { readonly hash: Hex }): Promise<unknown>;
};

export interface SentTransaction {
  readonly answer: SendAnswer;
  /** Error of the node; null where it took the transaction without one. */
  readonly refusal: RollupError | null;
}

/**
 * Sends a signed transaction.
 * @throws RollupError BRG_L1_REFUSED for any other reason, for example an account that cannot pay;
 * BRG_L1_UNREACHABLE: it may be there all the same
 */
export async function sendSigned(client: SendingClient, signed: SignedTransaction): Promise<SentTransaction> {
  const { account: address, nonce, raw: serializedTransaction, transactionHash: hash } = signed;
  try {
    await l1Call(`send ${hash}`, () => client.sendRawTransaction({ serializedTransaction }));
    return { answer: "taken", refusal: null };
  } catch (refusal) {
    if (!isRollupError(refusal, "BRG_L1_REFUSED")) throw refusal;
    const answer = (await hasTaken(client, { address, hash, nonce })) ? "taken" : wordsOf(refusal);
    if (answer === null) throw refusal;
    return { answer, refusal };
  }
}

/** Returns true if the node has it, or another of its nonce was mined. */
async function hasTaken(
  client: SendingClient,
  { address, hash, nonce }: { readonly address: Address; readonly hash: Hex; readonly nonce: number },
): Promise<boolean> {
  const isThere = await client.getTransaction({ hash }).then(
    () => true,
    () => false,
  );
  if (isThere) return true;
  const count = await l1Call("read the account's nonce", () =>
    client.getTransactionCount({ address, blockTag: "latest" }),
  );
  return count > nonce;
}

function wordsOf(refusal: RollupError): SendAnswer | null {
  const text = `${refusal.message} ${String(refusal.cause)}`;
  return WORDS.find(([, words]) => words.test(text))?.[0] ?? null;
}
