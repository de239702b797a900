/** The model of a history before the contract Disputes: one posting refuted, one that stood, one that is open. */
import { createPublicClient, createWalletClient, custom, type Hex, parseEther } from "viem";
import { withTrees } from "../../attribution/disputes/posted-model.ts";
import { MODEL_ID, type ModelHistory } from "../../bridge/testing/model-history.ts";
import { hashLeaf, hashStatics, unpackBinding } from "../../circuits/ledger/leaf.ts";
import { treePath } from "../../circuits/ledger/tree-root.ts";
import { TAG, TREE_DEPTH } from "../../circuits/protocol.ts";
import { challengeData, statementTuple } from "../../client/disputing/dispute-calls.ts";
import { trainedCase } from "../../client/disputing/testing/dispute-fixture.ts";
import {
  deployDisputes,
  deployLedgerMath,
  missingChunks,
  storeChunks,
  WEEK_SECONDS,
} from "../../contracts/build/deploy-disputes.ts";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";
import type { connect } from "../../contracts/testing/rollup-fixture.ts";

const BOND_WEI = parseEther("0.5");
const DAY_SECONDS = 86_400n;

type Client = Awaited<ReturnType<typeof connect>>;

/** The contract, before the rollup that asks it. @param rowCount of the models that are posted */
export async function deployGate(client: Client, rowCount: number): Promise<Hex> {
  const [account] = await client.getAddresses();
  const chain = client.chain;
  const clients = {
    walletClient: createWalletClient({ account: account!, chain, transport: custom(client) }),
    publicClient: createPublicClient({ chain, transport: custom(client), pollingInterval: 10 }),
  };
  const math = await deployLedgerMath(clients);
  await storeChunks(clients, math, await missingChunks(clients.publicClient, math, rowCount));
  const parameters = { windowSeconds: WEEK_SECONDS, leastBondWei: BOND_WEI, demandFeeWei: 1n };
  return deployDisputes(clients, parameters, math);
}

/** Postings of the history's model, up to its admission. @param cap of its genesis */
export async function disputeModel(f: ModelHistory, gate: Hex, cap: bigint): Promise<void> {
  const { client } = f.l1;
  const { binding, earnerRoot, ownersCommitment, split } = f.statics;
  const { datanetId, featureCount, rowCount } = unpackBinding(binding);
  const made = await trainedCase(Number(rowCount), { columnCount: Number(featureCount) });
  const { datanet, leaf } = f.ledger.requireLeaf(Number(datanetId));
  const numbers = {
    ...made.honest.statement,
    ...{ modelId: MODEL_ID, staticsHash: hashStatics(f.statics), rowsRoot: datanet!.rowsRoot },
    ...{ binding, earnerRoot, ownersCommitment, split },
  };
  const honest = withTrees(made.honest.leaves, numbers);
  const tokens = made.honest.leaves.tokens.map(() => new Uint8Array());
  const lie = withTrees({ ...made.honest.leaves, tokens }, numbers);
  const [owner, watcher, other] = (await client.getAddresses()).slice(-3) as [Hex, Hex, Hex];
  const send = async (functionName: string, args: readonly unknown[], account: Hex, value = 0n) => {
    const call = { address: gate, abi: disputesAbi, functionName, args, account, value };
    const hash = await client.writeContract(call as never);
    await client.waitForTransactionReceipt({ hash });
  };
  const post = async ({ statement }: typeof honest) => {
    const ids = Array.from({ length: MODEL_ID + 1 }, (_, id) => hashLeaf(f.ledger.requireLeaf(id).leaf));
    const { nonce, l1Owner, keyX, balance, chain, openAmount, counters } = leaf;
    const opened = {
      fields: [nonce, l1Owner, keyX, balance, chain, openAmount, counters],
      ...{ publishedAt: datanet!.publishedAt, policy: datanet!.policy },
    };
    const path = treePath(TAG.node, ids, TREE_DEPTH, Number(datanetId));
    await send("post", [statementTuple(statement), f.rollup.address, opened, path], owner, BOND_WEI);
  };
  await post(lie);
  const data = challengeData(1n, lie, made.rows, { kind: "tokens", row: 0 });
  const hash = await client.sendTransaction({ account: watcher, to: gate, data });
  await client.waitForTransactionReceipt({ hash });
  await post(honest);
  for (const who of [watcher, other]) await send("attest", [2n], who);
  await f.l1.passTime(7n * DAY_SECONDS);
  await send("admit", [2n, statementTuple(honest.statement), cap], owner);
  await post(honest);
  await send("attest", [3n], other);
}
