/** Interface of the signer of preconfirmations; signature-pool.ts implements it. */
import type {
  Preconfirmation,
  PreconfirmationFacts,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { Address } from "viem";

export interface PreconfirmationSigner {
  readonly address: Address;
  /** Deterministic (RFC 6979): the same facts give the same preconfirmation, so preconfirmations need not be stored. */
  sign(facts: PreconfirmationFacts): Promise<Preconfirmation>;
  /** Signs again, for readers of an earlier preconfirmation: after everything that somebody waits for. */
  signAgain?(facts: PreconfirmationFacts): Promise<Preconfirmation>;
}
