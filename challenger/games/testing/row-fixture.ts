/** Rows of a small language model, posted on a chain of their own, before a rollup that is one word: its state's root. */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { tracedAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import {
  EMPTY_LEAF,
  hashDatanetBody,
  hashLeaf,
  hashModelBody,
  hashStatics,
  type ModelBody,
  packBinding,
} from "@openledger/circuits/ledger/leaf";
import { EMPTY_CLAIMED_ROOT, packSplit } from "@openledger/circuits/ledger/rewards";
import { hashRow, treePath, treeRoot, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { LEAF_KIND, TAG, TREE_DEPTH } from "@openledger/circuits/protocol";
import {
  columnsCommitment,
  commitColumns,
  featuresCommitment,
} from "@openledger/circuits/settlement/feature-commitment";
import { FAMILY_NUMBERS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { bytesToHex, encodeFunctionData, type Hex, parseEther } from "viem";
import {
  type CommittedModel,
  factBytes,
  type Leaves,
  pointBytes,
  type TREES,
} from "../../statements/committed-model.ts";
import { statementTuple } from "../../statements/model-commitment-calls.ts";
import type { TracedText } from "../../trace/leaf-rules.ts";
import { WordTree, wordsOf } from "../../trace/word-tree.ts";
import { registerCall, type TracedTuple, tracedTuple, tracingDigest } from "../ledger-claims.ts";
import { withTextTrees } from "../text-model-commitment.ts";
import { rowTokensLeaf } from "../text-row-tokens.ts";
import { asRow, claimOf, type DescribedModel, type TracedQuery, traceQuery } from "../traced-model.ts";
import { callsOf, MODEL_ID, startLedgerTraces } from "./ledger-fixture.ts";
import { HOUR_SECONDS, tinyTraced } from "./trace-fixture.ts";

export const BOND_WEI = parseEther("2");
export const WINDOW_SECONDS = 96n * HOUR_SECONDS;
export const SIDE_SECONDS = 36n * HOUR_SECONDS;
const CAP = 16;
const DATANET_ID = 4;
const FILES_HASH = 4_242n;
const ONE = 1n << 40n;
/** Columns of G: more than the map makes. */
const COLUMNS = 20;
/** The rows' tokens; what stands before the first wanted one. */
const TEXTS: readonly TracedText[] = [
  { tokens: [3, 14, 15, 9], promptCount: 1 },
  { tokens: [26, 5, 35, 8], promptCount: 2 },
  { tokens: [9, 7, 9], promptCount: 1 },
];

export type RowFixture = Awaited<ReturnType<typeof startRows>>;

/** All contracts, for model commitments of so many rows at most. */
export async function startRowContracts(mostRows: number) {
  const base = await startLedgerTraces({
    ...{ bondWei: BOND_WEI, feeWei: parseEther("0.01"), mostRows },
    windowSeconds: { games: WINDOW_SECONDS, registry: WINDOW_SECONDS },
  });
  const { client, clients, deployer, game: games, owner, passTime, publicClient, registry } = base;
  const { stop, stranger, url, watcher } = base;
  const disputes = registry;
  const abi = [...disputesAbi, ...traceGameAbi] as const;
  const at = (to: Hex) => callsOf(client, to, abi);
  const send = (account: Hex, to: Hex, data: Hex, valueWei = 0n) => at(to).send(account, data, valueWei);
  return {
    ...{ client, clients, disputes, games, owner, watcher, stranger, send, abi },
    ...{ passTime, publicClient, stop, url },
    accountOf: (address: Hex, to: Hex = games) => at(to).accountOf(address),
    read: <Result>(to: Hex, functionName: string, args: readonly unknown[] = []): Promise<Result> =>
      at(to).read(functionName, args),
    refusal: (account: Hex, to: Hex, data: Hex, value = 0n) => at(to).refusal(account, data, value),
    /**
     * Registers a model in a rollup of its own, which has the posted version.
     * @param anyModel under any rollup @param posted with the statics that are registered
     */
    async register(anyModel: DescribedModel, traced: TracedTuple, posted: CommittedModel) {
      const { leaves: ofState, registration } = stateWith(posted);
      const rollup = await deployFixedState(client, deployer, treeRoot(TAG.node, ofState, TREE_DEPTH));
      const model = { ...anyModel, rollup };
      await send(owner, games, registerCall(model, traced, registration));
      const path = treePath(TAG.node, ofState, TREE_DEPTH, DATANET_ID);
      const commitModelCall = (of: CommittedModel) => {
        const args = [FAMILY_NUMBERS.text, statementOf(of), rollup, DATANET, path] as const;
        return encodeFunctionData({ abi: disputesAbi, functionName: "commitModel", args } as never);
      };
      return {
        ...{ rollup, model, traced, posted, commitModelCall },
        /** The model commitment's number. */
        async post(of: CommittedModel = posted): Promise<bigint> {
          await send(owner, disputes, commitModelCall(of), BOND_WEI);
          return client.readContract({
            address: disputes,
            abi: disputesAbi,
            functionName: "modelCommitmentCount",
          });
        },
      };
    },
  };
}

/** All of them, a model that is registered with the promise, and an honest model commitment of its rows, not yet posted. */
export async function startRows() {
  const contracts = await startRowContracts(TEXTS.length);
  const named = { rollup: contracts.owner, modelId: BigInt(MODEL_ID) };
  const { kernels, model: anyModel } = await tinyTraced(named);
  const terms = tracedTuple(anyModel, {
    ...{ claimant: contracts.owner, rest: 1, mostTokens: 4, endToken: null, vocabulary: null },
    rules: 1n | (ONE << 8n),
    isLikeliest: true,
  });
  const tracing = tracingDigest(terms);
  const honest = TEXTS.map((text) => asRow(traceQuery(anyModel, text, kernels)));
  const registered = await contracts.register(anyModel, terms, honestRows(honest, tracing));
  const { model, traced } = registered;
  return {
    ...{ ...contracts, ...registered, kernels, honest, tracing },
    /** The transaction that challenges a posted row. @param own of its tokens, as the challenger computes it */
    rowCall(id: bigint, of: CommittedModel, row: number, own: TracedQuery = honest[row]!): Hex {
      const { path, statement } = claimOf(model, own);
      const opening = (tree: "tokens" | "map") => ({
        data: bytesToHex(of.leaves[tree][row]!),
        path: of.trees[tree].path(row).map((node) => bytesToHex(node)),
      });
      const query = rootOfLeaf(of.leaves.map[row]!);
      const args = [id, BigInt(row), statementOf(of), traced, { ...statement, query }, path] as const;
      const shown = [opening("tokens"), opening("map")] as const;
      return encodeFunctionData({
        abi: traceGameAbi,
        functionName: "challengeRow",
        args: [...args, ...shown],
      } as never);
    },
  };
}

/** A datanet's leaf, besides what the statement says of its version. */
const DATANET = {
  fields: [3n, 77n, 5n, 9n, 8n, 0n, 24n],
  publishedAt: 1_700_000_000n,
  policy: 0n,
} as const;

const CONTENTS = TEXTS.map((_, k) => new TextEncoder().encode(`{"text":"row ${k}"}`));
const SPLIT = packSplit({ ownerParts: 13_107n, validatorParts: 8_192n });
const STATICS = { ownersCommitment: 5n, payeeRoot: 6n, split: SPLIT };
const BINDING = packBinding({
  ...{ datanetId: BigInt(DATANET_ID), version: 1n, rowCount: BigInt(TEXTS.length) },
  ...{ predecessorId: 0n, drawBits: 1n, featureCount: BigInt(COLUMNS) },
});

/** What an honest owner posts of these passes: no row is cut, and none repeats another. */
export function honestRows(rows: readonly TracedQuery[], tracing: Hex): CommittedModel {
  const real = rows.map(({ claimedOp, tree }) => floatsOf(tree.ops[claimedOp]!));
  const width = real[0]!.length;
  const scale = Math.max(...real.flatMap((numbers) => Array.from(numbers, Math.abs))) / 127;
  const G = new Int8Array(COLUMNS * rows.length);
  for (const [k, numbers] of real.entries())
    for (const [j, number] of numbers.entries()) G[k * COLUMNS + j] = Math.floor(number / scale + 0.5);
  const entriesOf = (k: number) => G.subarray(k * COLUMNS, (k + 1) * COLUMNS);
  const columns = commitColumns(G, rows.length, COLUMNS);
  const answering = tracedAnsweringHash(FILES_HASH, BigInt(tracing));
  const version = CONTENTS.map((content) => ({
    rowHash: hashRow(content),
    contributorId: 1,
    validatorId: 2,
  }));
  const leaves: Leaves = {
    rows: CONTENTS.map((content) => sha256(content)),
    tokens: rows.map(({ text }) => rowTokensLeaf({ ...text, lengths: text.tokens.map(() => 1) })),
    facts: rows.map((_, k) => {
      const entries = [...entriesOf(k)];
      const squares = entries.reduce((sum, entry) => sum + entry * entry, 0);
      const residual = BigInt(Math.max(...entries.map(Math.abs)));
      return factBytes({
        factor: ONE,
        residual,
        pull: 0n,
        length: Math.floor(Math.sqrt(squares)),
        leader: k,
      });
    }),
    features: rows.map((_, k) => Uint8Array.from(entriesOf(k), (entry) => entry & 0xff)),
    map: real.map(wordsOf),
    inputs: [],
    weights: [],
    columns: Array.from({ length: COLUMNS }, (_, j) =>
      Uint8Array.from(rows, (_row, k) => G[k * COLUMNS + j]! & 0xff),
    ),
    points: pointBytes(columns),
  };
  const numbers = {
    ...{ modelId: MODEL_ID, answering: FILES_HASH, binding: BINDING, ...STATICS },
    staticsHash: hashStatics({
      ...{ featuresCommitment: featuresCommitment(columns, answering), binding: BINDING, ...STATICS },
    }),
    rowsRoot: versionRowsRoot(version),
    ...{ rowCount: rows.length, bucketCount: width, columnCount: COLUMNS },
    decay: new DataView(Float64Array.of(scale).buffer).getBigUint64(0, true),
    ...{ clipLength: 0, clipQuantile: ONE, sharesDuplicates: false },
  };
  return withTextTrees(leaves, numbers, tracing);
}

/** The same model commitment with another leaf, right in all that does not hang on it. */
export function withLeaf(
  of: CommittedModel,
  tree: (typeof TREES)[number],
  row: number,
  leaf: Uint8Array,
): CommittedModel {
  const leaves = { ...of.leaves, [tree]: of.leaves[tree].map((own, k) => (k === row ? leaf : own)) };
  return withTextTrees(leaves, of.statement, bytesToHex(of.statement.roots.weights));
}

/** Columns of a registered model's statics, as `admit` is shown them. */
export const columnsOf = ({ leaves }: CommittedModel): bigint => {
  const numberAt = (leaf: Uint8Array, from: number) => BigInt(bytesToHex(leaf.subarray(from, from + 32)));
  return columnsCommitment({
    u: leaves.points.map((leaf) => numberAt(leaf, 0)),
    v: leaves.points.map((leaf) => numberAt(leaf, 32)),
  });
};

export const statementOf = ({ statement }: CommittedModel) => statementTuple(statement);

function floatsOf(tree: { readonly wordCount: number; node(level: number, index: number): Uint8Array }) {
  const bytes = concatBytes(...Array.from({ length: tree.wordCount }, (_, i) => tree.node(0, i)));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k));
}

const rootOfLeaf = (leaf: Uint8Array): Hex => bytesToHex(new WordTree(leaf).root);

/** The leaves of a state in which the committed model is, unbegun, with its datanet's version; and how it is registered. */
function stateWith({ leaves, statement }: CommittedModel) {
  const { binding, payeeRoot, ownersCommitment, rowCount, rowsRoot, split } = statement;
  const points = columnsOf({ leaves, statement } as CommittedModel);
  const answering = tracedAnsweringHash(statement.answering, BigInt(bytesToHex(statement.roots.weights)));
  const statics = {
    featuresCommitment: hashTagged(TAG.features, [points, answering]),
    ...{ ownersCommitment, payeeRoot, binding, split },
  };
  const body: ModelBody = {
    ...{ statics, closed: 0n, accruedRoot: payeeRoot, claimedRoot: EMPTY_CLAIMED_ROOT, epochStart: 0n },
  };
  const model = { ...EMPTY_LEAF, kind: LEAF_KIND.model, l1Owner: 9n, keyX: 8n, body: hashModelBody(body) };
  const [nonce, l1Owner, keyX, balance, chain, openAmount, counters] = DATANET.fields;
  const datanet = {
    ...{ kind: LEAF_KIND.datanet, nonce, l1Owner, keyX, balance, chain, openAmount, counters },
    body: hashDatanetBody({
      ...{ version: 1n, rowCount: BigInt(rowCount) },
      ...{ publishedAt: DATANET.publishedAt, policy: DATANET.policy },
      ...{ rowsRoot, ownersCommitment, payeeRoot },
    }),
  };
  const ofState = [11n, 12n, 13n, hashLeaf(model), hashLeaf(datanet)];
  const fields = [
    ...[model.nonce, model.l1Owner, model.keyX, model.balance],
    ...[model.chain, model.openAmount, model.counters],
  ];
  const registration = {
    ...{ fields, body, cap: CAP, filesHash: statement.answering, columnsCommitment: points },
    path: treePath(TAG.node, ofState, TREE_DEPTH, MODEL_ID),
  };
  return { leaves: ofState, registration };
}
