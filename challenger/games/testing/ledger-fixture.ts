/** LedgerTraces on a chain of its own, before a rollup that is one word: its state's root. */

import { tracedAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  EMPTY_LEAF,
  hashLeaf,
  hashModelBody,
  type Leaf,
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
import type { Hex } from "viem";
import {
  type ClaimedReceipt,
  claimReceiptCall,
  registerCall,
  type TracedTerms,
  type TracedTuple,
  tracedTuple,
  tracingDigest,
} from "../claims/ledger-claims.ts";
import type { DescribedModel, TracedQuery } from "../claims/traced-model.ts";
import { BOND_WEI, callsOf, HOUR_SECONDS, STAKE_WEI, tinyTraced } from "./trace-fixture.ts";

const FILES_HASH = 4_242n;
const COLUMNS = 77n;
const COLUMN_COUNT = 20;
const CAP = 16;
export const MODEL_ID = 3;

type LedgerTracesFixture = Awaited<ReturnType<typeof startLedgerTraces>>;

/** A model that has not begun, as a leaf of a ledger's state. @param changed of the leaf */
export function unbegunModel(statics: ModelBody["statics"], changed: Partial<Leaf> = {}) {
  const body: ModelBody = {
    ...{ statics, closed: 0n, accruedRoot: statics.payeeRoot },
    ...{ claimedRoot: EMPTY_CLAIMED_ROOT, epochStart: 0n },
  };
  const own = { ...EMPTY_LEAF, kind: LEAF_KIND.model, l1Owner: 9n, keyX: 8n, ...changed };
  const { balance, chain, counters, keyX, l1Owner, nonce, openAmount } = own;
  const fields = [nonce, l1Owner, keyX, balance, chain, openAmount, counters];
  return { hash: hashLeaf({ ...own, body: hashModelBody(body) }), shown: { fields, body, cap: CAP } };
}

/** @param mostRows of model commitments; default: none is posted */
export async function startLedgerTraces({
  bondWei = BOND_WEI,
  feeWei = 1n,
  mostRows = 0,
  windowSeconds = { games: 72n * HOUR_SECONDS, registry: 168n * HOUR_SECONDS },
} = {}) {
  await initPoseidon();
  const { accounts, client, clientsOf, passTime, stop, url } = await startChain();
  const [deployer, owner, watcher, stranger] = accounts as [Hex, Hex, Hex, Hex];
  const clients = clientsOf(deployer);
  const terms = {
    ...{ windowSeconds: windowSeconds.games, sideSeconds: 36n * HOUR_SECONDS },
    ...{ leastBondWei: bondWei, stakeWei: STAKE_WEI },
  };
  const modelCommitment = {
    ...{ windowSeconds: windowSeconds.registry, leastBondWei: bondWei },
    availabilityChallengeFeeWei: feeWei,
  };
  const deployed = await deployRegistry(clients, modelCommitment, { mostRows, games: terms });
  const { address: registry, math } = deployed;
  const { borders, game } = deployed.games!;
  const calls = callsOf(client, game, traceGameAbi);
  return {
    ...{ borders, client, deployer, game, math, registry, owner, watcher, stranger, clients },
    ...{ passTime, stop, url, ...calls },
    publicClient: clients.publicClient as never,
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
      const { hash, shown } = unbegunModel(statics);
      const leaves = [...Array.from({ length: MODEL_ID - 1 }, (_, i) => BigInt(i + 1)), hash, hash];
      const root = treeRoot(TAG.node, leaves, TREE_DEPTH);
      const rollup = await deployFixedState(client, deployer, root, registry);
      const model = describe(rollup);
      const proof = { ...shown, filesHash: FILES_HASH, columnsCommitment: COLUMNS };
      const registrationOf = (modelId: number) => {
        const path = treePath(TAG.node, leaves, TREE_DEPTH, modelId);
        return registerCall({ ...model, modelId: BigInt(modelId) }, traced, { ...proof, path });
      };
      return { model, traced, rollup, registrationOf, registration: registrationOf(MODEL_ID) };
    },
  };
}

/**
 * A ledger with the smallest language model, as `ledgerWith` makes it, and what it is traced with.
 * @param changed of what its statics promise @param options made of the model and of its terms
 */
export async function tinyLedger(
  f: LedgerTracesFixture,
  changed: Partial<TracedTerms> = {},
  {
    draws = 2,
    describe = (model: DescribedModel) => model,
    terms = (own: TracedTuple, _: DescribedModel) => own,
  } = {},
) {
  const described = await tinyTraced({ rollup: f.owner, modelId: BigInt(MODEL_ID) });
  const promised = {
    ...{ claimant: f.owner, rest: 1, mostTokens: 4, endToken: null, vocabulary: null },
    ...{ rules: 0n, isLikeliest: false, ...changed },
  };
  const of = {
    describe: (rollup: Hex) => describe({ ...described.model, rollup }),
    terms: (model: DescribedModel) => terms(tracedTuple(model, promised), model),
  };
  const ledger = await f.ledgerWith(of, COLUMN_COUNT, draws);
  /** Of a receipt with the query's own answer. */
  const claimCall = (query: TracedQuery, receipt: Partial<ClaimedReceipt> = {}) => {
    const { promptCount, tokens } = query.text;
    const answered = tokens.slice(promptCount).filter((token) => token !== promised.endToken);
    const answer = JSON.stringify({ text: "So.", tokens: answered });
    const own = { payerId: 7, salt: 100n, prompt: "How?", answer, lengths: [], ...receipt };
    return claimReceiptCall(ledger.model, ledger.traced, query, own);
  };
  return {
    ...{ ...ledger, kernels: described.kernels, claimCall },
    /** The claim's number. */
    async claim(query: TracedQuery, receipt?: Partial<ClaimedReceipt>): Promise<bigint> {
      await f.send(f.owner, claimCall(query, receipt), BOND_WEI);
      return f.read("claimCount");
    },
  };
}

/** The same, registered. */
export async function tinyRegistered(...[f, ...options]: Parameters<typeof tinyLedger>) {
  const ledger = await tinyLedger(f, ...options);
  await f.send(f.stranger, ledger.registration);
  return ledger;
}
