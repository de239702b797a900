/** Signature over a question, by which an answer server knows who will pay. `askModel` and `askAdapter` send it. */
import { askMessage } from "@openledger/circuits/ledger/model-query";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { type LedgerClient, requireL2Key } from "../../ledger-client.ts";
import { resolveSigner } from "../../sequencer/ledger-reads.ts";
import type { SigningErrorCode } from "../ledger/send-operation.ts";

export interface Question {
  readonly modelId: number;
  readonly prompt: string;
  /** Leaf that will pay; default: the client's. */
  readonly from?: number | undefined;
  readonly isPrivate?: boolean;
}

/** Payer and signature over exactly this question, as an answer server takes it. */
export interface SignedQuestion {
  readonly payerId: number;
  readonly signature: { readonly r8x: string; readonly r8y: string; readonly s: string };
}

export type SignQuestionErrorCode = SigningErrorCode;

/**
 * Signs a question.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND
 * @internal
 */
export async function signQuestion(
  client: LedgerClient,
  { from, isPrivate = false, modelId, prompt }: Question,
): Promise<SignedQuestion> {
  const key = requireL2Key(client);
  const { id: payerId } = await resolveSigner(client, from);
  const signature = key.sign(askMessage({ domain: client.domain, modelId, payerId, prompt, isPrivate }));
  return { payerId, signature: toHexSignature(signature) };
}
