/** LedgerTraces on a chain of its own, before a rollup that is one word: its state's root. */

import { tracedAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  EMPTY_LEAF,
  hashLeaf,
  hashModelBody,
  type ModelBody,
  packBinding,
} from "@openledger/circuits/ledger/leaf";
import { EMPTY_CLAIMED_ROOT, packSplit } from "@openledger/circuits/ledger/rewards";
import { treePath, treeRoot } from "@openledger/circuits/ledger/version-rows";
import { LEAF_KIND, TAG, TREE_DEPTH } from "@openledger/circuits/protocol";
import { deployRegistry } from "@openledger/contracts/build/deploy-disputes";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { startChain } from "@openledger/contracts/testing/chain";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { refusalOf } from "@openledger/contracts/testing/refusal-of";
import type { Hex } from "viem";
import { registerCall, type TracedTuple, tracingDigest } from "../ledger-claims.ts";
import type { PlayerAccount } from "../played-moves.ts";
import type { DescribedModel } from "../traced-model.ts";
import { BOND_WEI, HOUR_SECONDS, STAKE_WEI } from "./trace-fixture.ts";

const FILES_HASH = 4_242n;
const COLUMNS = 77n;
const CAP = 16;
export const MODEL_ID = 3;

export type LedgerTracesFixture = Awaited<ReturnType<typeof startLedgerTraces>>;

export async function startLedgerTraces() {
  await initPoseidon();
  const { accounts, client, clientsOf, gasOf, passTime, stop, url } = await startChain();
  const [deployer, owner, watcher, stranger] = accounts as [Hex, Hex, Hex, Hex];
  const clients = clientsOf(deployer);
  const terms = {
    ...{ windowSeconds: 72n * HOUR_SECONDS, sideSeconds: 36n * HOUR_SECONDS },
    ...{ leastBondWei: BOND_WEI, stakeWei: STAKE_WEI },
  };
  const modelCommitment = {
    windowSeconds: 168n * HOUR_SECONDS,
    leastBondWei: BOND_WEI,
    availabilityChallengeFeeWei: 1n,
  };
  const {
    address: registry,
    games,
    math,
  } = await deployRegistry(clients, modelCommitment, { mostRows: 0, games: terms });
  const { borders, game } = games!;
  const accountOf = (address: Hex): PlayerAccount => ({
    address,
    async send({ data, valueWei }) {
      const hash = await client.sendTransaction({
        ...{ account: address, to: game, data, value: valueWei, gas: 16_000_000n },
      });
      return { gasUsed: await gasOf(hash) };
    },
  });
  return {
    ...{ borders, client, game, math, registry, owner, watcher, stranger, accountOf, clients },
    ...{ passTime, stop, url },
    publicClient: clients.publicClient as never,
    read: (functionName: string, args: readonly unknown[] = []) =>
      client.readContract({
        address: game,
        abi: traceGameAbi,
        functionName,
        args,
      } as never) as Promise<never>,
    refusal: (account: Hex, data: Hex, value = 0n) =>
      refusalOf(client, traceGameAbi, { account, to: game, data, value }),
    send: async (account: Hex, data: Hex, valueWei = 0n) =>
      Number((await accountOf(account).send({ data, valueWei })).gasUsed),
    /** The receipt that a claim is of. */
    async receiptOf(claimId: bigint): Promise<bigint> {
      const event = { address: game, abi: traceGameAbi, eventName: "ReceiptClaimed" } as const;
      const all = await client.getContractEvents({ ...event, fromBlock: 0n, strict: true });
      return all.find(({ args }) => args.claimId === claimId)!.args.receipt;
    },
    /**
     * A rollup whose state has the model under two numbers, MODEL_ID and the one before it, and the call that registers it.
     * @param draws of an epoch, a power of two
     */
    async ledgerWith(
      {
        describe,
        terms,
      }: { describe(rollup: Hex): DescribedModel; terms(model: DescribedModel): TracedTuple },
      columnCount: number,
      draws: number,
    ) {
      const anyModel = describe(deployer);
      const traced = terms(anyModel);
      const answering = tracedAnsweringHash(FILES_HASH, BigInt(tracingDigest(traced)));
      const statics = {
        featuresCommitment: hashTagged(TAG.features, [COLUMNS, answering]),
        ...{ ownersCommitment: 5n, payeeRoot: 6n },
        binding: packBinding({
          ...{ datanetId: 4n, version: 1n, rowCount: 8n, predecessorId: 0n },
          ...{ drawBits: BigInt(Math.log2(draws)), featureCount: BigInt(columnCount) },
        }),
        split: packSplit({ ownerParts: 13_107n, validatorParts: 8_192n }),
      };
      const body: ModelBody = {
        ...{ statics, closed: 0n, accruedRoot: statics.payeeRoot },
        ...{ claimedRoot: EMPTY_CLAIMED_ROOT, epochStart: 0n },
      };
      const leaf = { ...EMPTY_LEAF, kind: LEAF_KIND.model, l1Owner: 9n, keyX: 8n, body: hashModelBody(body) };
      const others = Array.from({ length: MODEL_ID - 1 }, (_, i) => BigInt(i + 1));
      const leaves = [...others, hashLeaf(leaf), hashLeaf(leaf)];
      const root = treeRoot(TAG.node, leaves, TREE_DEPTH);
      const rollup = await deployFixedState(client, deployer, root, registry);
      const model = describe(rollup);
      const { balance, chain, counters, keyX, l1Owner, nonce, openAmount } = leaf;
      const fields = [nonce, l1Owner, keyX, balance, chain, openAmount, counters];
      const proof = { fields, body, cap: CAP, filesHash: FILES_HASH, columnsCommitment: COLUMNS };
      const registrationOf = (modelId: number) => {
        const path = treePath(TAG.node, leaves, TREE_DEPTH, modelId);
        return registerCall({ ...model, modelId: BigInt(modelId) }, traced, { ...proof, path });
      };
      return { model, traced, rollup, registrationOf, registration: registrationOf(MODEL_ID) };
    },
  };
}
