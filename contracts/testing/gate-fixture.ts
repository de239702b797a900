/** A registry as a rollup's gate, which admits models that are registered without challenges. */

import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { activationHash } from "@openledger/circuits/ledger/rewards";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import { getContract, type Hex, sha256 } from "viem";
import { deployRegistry, WEEK_SECONDS } from "../build/deploy-disputes.ts";
import { disputesAbi } from "../build/disputes-abi.ts";
import { onClient } from "./chain.ts";
import type { connect } from "./rollup-fixture.ts";

/** What the answering hash of a model is the SHA-256 of. */
const PREIMAGE: Hex = `0x${"ab".repeat(96)}`;
const REST = { ownersCommitment: 12n, payeeRoot: 13n, binding: 14n, split: 15n };
const COLUMNS_COMMITMENT = 11n;

export type Gate = Awaited<ReturnType<typeof startGate>>;

export async function startGate(client: Awaited<ReturnType<typeof connect>>) {
  await initPoseidon();
  const [deployer] = await client.getAddresses();
  const clients = onClient(client).clientsOf(deployer!);
  const parameters = { windowSeconds: WEEK_SECONDS, leastBondWei: 1n, availabilityChallengeFeeWei: 1n };
  // The hash alone: no column is added up.
  const { address } = await deployRegistry(clients, parameters, { mostRows: 0 });
  const disputes = getContract({ address, abi: disputesAbi, client });
  return {
    address,
    /** J of the Activation of such a model. */
    wordOf(modelId: number, cap: number): bigint {
      const answering = BigInt(sha256(PREIMAGE)) % FIELD_ORDER;
      const featuresCommitment = hashTagged(TAG.features, [COLUMNS_COMMITMENT, answering]);
      const statics = hashStatics({ ...REST, featuresCommitment });
      return activationHash({ modelId, statics, cap, payeeRoot: REST.payeeRoot });
    },
    async admit(modelId: number, cap: number): Promise<void> {
      const { binding, payeeRoot, ownersCommitment, split } = REST;
      const parts = [COLUMNS_COMMITMENT, ownersCommitment, payeeRoot, binding, split] as const;
      const args = [modelId, PREIMAGE, parts, BigInt(cap)] as const;
      const hash = await disputes.write.admitUnchallenged(args, { account: deployer! });
      await client.waitForTransactionReceipt({ hash });
    },
  };
}
