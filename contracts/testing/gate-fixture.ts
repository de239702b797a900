/** A registry as a rollup's gate, which admits models that are registered without challenges. */

import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { activationHash } from "@openledger/circuits/ledger/rewards";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import { shardFeatures } from "@openledger/circuits/settlement/feature-commitment";
import { getContract, type Hex, sha256 } from "viem";
import { deployRegistry, WEEK_SECONDS } from "../build/deploy-disputes.ts";
import { disputesAbi } from "../build/disputes-abi.ts";
import { onClient } from "./chain.ts";
import type { connect } from "./rollup-fixture.ts";

/** What the answering hash of a model is the SHA-256 of. */
const PREIMAGE: Hex = `0x${"ab".repeat(96)}`;
const REST = { ownersCommitment: 12n, payeeRoot: 13n, binding: 14n, split: 15n };
/** Of a model of one shard. */
const COLUMNS_COMMITMENTS: readonly bigint[] = [11n];
/** An unmarked answering hash. */
const ANSWERING = BigInt(sha256(PREIMAGE)) % FIELD_ORDER;

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
    /** J of the Activation of such a model. @param markedShard whose answering hash is marked, if any */
    wordOf(modelId: number, cap: number, columns = COLUMNS_COMMITMENTS, markedShard = -1): bigint {
      const marked = hashTagged(TAG.challenged, [ANSWERING, 0n]);
      const ofShards = columns.map((commitment, s) =>
        hashTagged(TAG.features, [commitment, s === markedShard ? marked : ANSWERING]),
      );
      const statics = hashStatics({ ...REST, featuresCommitment: shardFeatures(ofShards) });
      return activationHash({ modelId, statics, cap, payeeRoot: REST.payeeRoot });
    },
    async admit(modelId: number, cap: number, columns = COLUMNS_COMMITMENTS): Promise<void> {
      const { binding, payeeRoot, ownersCommitment, split } = REST;
      const rest = [ownersCommitment, payeeRoot, binding, split] as const;
      const args = [modelId, PREIMAGE, columns, rest, BigInt(cap)] as const;
      // The node's own refusal would not name the error.
      const { request } = await disputes.simulate.admitUnchallenged(args, { account: deployer! });
      const hash = await client.writeContract(request as never);
      await client.waitForTransactionReceipt({ hash });
    },
  };
}
