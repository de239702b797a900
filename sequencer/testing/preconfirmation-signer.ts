/** Signs as the sequencer's threads do, by viem alone. */
import {
  type PreconfirmationRollup,
  preconfirmationTypedData,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { Secret } from "@openledger/foundation/secret";
import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { PreconfirmationSigner } from "../store/preconfirmations.ts";

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
