/** Who signs the preconfirmations of acknowledged operations. */

import {
  type Preconfirmation,
  type PreconfirmationFacts,
  type PreconfirmationRollup,
  preconfirmationTypedData,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { Secret } from "@openledger/foundation/secret";
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

export interface PreconfirmationSigner {
  readonly address: Address;
  /** Deterministic (RFC 6979): the same facts give the same preconfirmation, so preconfirmations need not be stored. */
  sign(facts: PreconfirmationFacts): Promise<Preconfirmation>;
}

export function createPreconfirmationSigner(
  rollup: PreconfirmationRollup,
  privateKey: Secret<Hex>,
): PreconfirmationSigner {
  const account = privateKeyToAccount(privateKey.reveal());
  return {
    address: account.address,
    async sign(facts) {
      const signature = await account.signTypedData(preconfirmationTypedData(rollup, facts));
      return { ...facts, signature };
    },
  };
}
