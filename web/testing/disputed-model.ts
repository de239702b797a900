/**
 * The model of a history before a contract of disputes: one model commitment refuted, one that held, and one that is open.
 */

import { DRAWS, MODEL_ID, type ModelHistory, ROW_COUNT } from "@openledger/bridge/testing/model-history";
import { directChallengeData } from "@openledger/challenger/model-commitments/direct-calls";
import { admitCall } from "@openledger/challenger/model-commitments/ledger-proofs";
import { type DirectCase, directCase } from "@openledger/challenger/model-commitments/testing/direct-case";
import { withTrees } from "@openledger/challenger/statements/committed-model";
import { postedTuple, statementTuple } from "@openledger/challenger/statements/model-commitment-calls";
import { hashLeaf, hashStatics, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { treePath } from "@openledger/circuits/ledger/version-rows";
import { TAG, TREE_DEPTH } from "@openledger/circuits/protocol";
import { deployRegistry, FAMILY_NUMBERS, WEEK_SECONDS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import type { connect } from "@openledger/contracts/testing/rollup-fixture";
import { createPublicClient, createWalletClient, custom, type Hex, parseEther } from "viem";

const BOND_WEI = parseEther("0.5");
const DAY_SECONDS = 86_400n;

type Client = Awaited<ReturnType<typeof connect>>;

/** The registry, before the rollup that asks it. @param rowCount of the models that are posted */
export async function deployGate(client: Client, rowCount: number): Promise<Hex> {
  const [account] = await client.getAddresses();
  const chain = client.chain;
  const clients = {
    walletClient: createWalletClient({ account: account!, chain, transport: custom(client) }),
    publicClient: createPublicClient({ chain, transport: custom(client), pollingInterval: 10 }),
  };
  const parameters = { windowSeconds: WEEK_SECONDS, leastBondWei: BOND_WEI, availabilityChallengeFeeWei: 1n };
  return (await deployRegistry(clients, parameters, { mostRows: rowCount })).address;
}

/** What the history's model is trained from; its features commitment has to be the history's. */
export function disputedCase(): Promise<DirectCase> {
  return directCase(ROW_COUNT);
}

/** What the history's binding says of its settlement circuit: that of such a model. */
export const settledBy = ({ model }: DirectCase) => ({
  drawBits: BigInt(Math.log2(DRAWS)),
  featureCount: unpackBinding(model.statics.binding).featureCount,
});

/** Model commitments of the history's model, up to its admission. @param cap of its activation */
export async function disputeModel(f: ModelHistory, made: DirectCase, gate: Hex, cap: bigint): Promise<void> {
  const { client } = f.l1;
  const { binding, payeeRoot, ownersCommitment, split } = f.statics;
  const { datanetId } = unpackBinding(binding);
  const { datanet, leaf } = f.ledger.requireLeaf(Number(datanetId));
  const numbers = {
    ...made.honest.statement,
    ...{ modelId: MODEL_ID, staticsHash: hashStatics(f.statics), rowsRoot: datanet!.rowsRoot },
    ...{ binding, payeeRoot, ownersCommitment, split },
  };
  const honest = withTrees(made.honest.leaves, numbers);
  const tokens = made.honest.leaves.tokens.map(() => new Uint8Array());
  const lie = withTrees({ ...made.honest.leaves, tokens }, numbers);
  const [owner, watcher] = (await client.getAddresses()).slice(-3) as [Hex, Hex];
  const sendTo = async (
    to: Hex,
    functionName: string,
    args: readonly unknown[],
    account: Hex,
    value = 0n,
  ) => {
    const call = { address: to, abi: disputesAbi, functionName, args, account, value };
    const hash = await client.writeContract(call as never);
    await client.waitForTransactionReceipt({ hash });
  };
  const send = (functionName: string, args: readonly unknown[], account: Hex) =>
    sendTo(gate, functionName, args, account);
  const challenge = async (to: Hex, data: Hex) => {
    const hash = await client.sendTransaction({ account: watcher, to, data });
    await client.waitForTransactionReceipt({ hash });
  };
  const post = async (posted: typeof honest, to = gate) => {
    const { statement } = posted;
    const ids = Array.from({ length: MODEL_ID + 1 }, (_, id) => hashLeaf(f.ledger.requireLeaf(id).leaf));
    const { nonce, l1Owner, keyX, balance, chain, openAmount, counters } = leaf;
    const opened = {
      fields: [nonce, l1Owner, keyX, balance, chain, openAmount, counters],
      ...{ publishedAt: datanet!.publishedAt, policy: datanet!.policy },
    };
    const path = treePath(TAG.node, ids, TREE_DEPTH, Number(datanetId));
    const shown = [f.rollup.address, opened, path, postedTuple(posted, "direct")];
    const args = [FAMILY_NUMBERS.direct, statementTuple(statement), ...shown];
    await sendTo(to, "commitModel", args, owner, BOND_WEI);
  };
  await post(lie);
  await challenge(gate, directChallengeData(1n, lie, made.rows, { kind: "tokens", row: 0 }));
  await post(honest);
  await f.l1.passTime(7n * DAY_SECONDS);
  const admission = admitCall(made.model, 2n, honest.statement, cap);
  await send(admission.functionName, admission.args, owner);
  await post(honest);
}
