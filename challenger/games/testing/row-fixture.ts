/** Rows of a small language model, posted on a chain of their own, before a rollup that is one word: its state's root. */
import { sha256 } from "@noble/hashes/sha2.js";
import { tracedAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { hashStatics, packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { hashRow, treePath, treeRoot, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { TAG, TREE_DEPTH } from "@openledger/circuits/protocol";
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
import { datanetLeaf } from "../../model-commitments/testing/rows-in-state.ts";
import {
  type CommittedModel,
  factBytes,
  type Leaves,
  pointLeaves,
  type TREES,
} from "../../statements/committed-model.ts";
import { postedTuple, statementTuple } from "../../statements/model-commitment-calls.ts";
import { lengthOf } from "../../statements/row-arithmetic.ts";
import { readPoints } from "../../statements/tie-faults.ts";
import type { TracedText } from "../../trace/leaf-rules.ts";
import { wordsOf } from "../../trace/word-tree.ts";
import { registerCall, type TracedTuple, tracedTuple, tracingDigest } from "../claims/ledger-claims.ts";
import { asRow, type DescribedModel, type TracedQuery, traceQuery } from "../claims/traced-model.ts";
import { challengeRowCall } from "../rows/text-calls.ts";
import { withTextTrees } from "../rows/text-model-commitment.ts";
import { rowTokensLeaf } from "../rows/text-row-tokens.ts";
import { MODEL_ID, startLedgerTraces, unbegunModel } from "./ledger-fixture.ts";
import { claimedNumbers } from "./played-games.ts";
import { callsOf, HOUR_SECONDS, tinyTraced } from "./trace-fixture.ts";

export const BOND_WEI = parseEther("2");
export const WINDOW_SECONDS = 168n * HOUR_SECONDS;
export const SIDE_SECONDS = 36n * HOUR_SECONDS;
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
    playerOf: at(games).playerOf,
    read: <Result>(to: Hex, functionName: string, args: readonly unknown[] = []): Promise<Result> =>
      at(to).read(functionName, args),
    refusal: (account: Hex, to: Hex, data: Hex, value = 0n) => at(to).refusal(account, data, value),
    /**
     * Registers a model in a rollup of its own, which has the posted version.
     * @param anyModel under any rollup @param posted with the statics that are registered
     */
    async register(anyModel: DescribedModel, traced: TracedTuple, posted: CommittedModel) {
      const { datanet, leaves: ofState, registration } = stateWith(posted);
      const rollup = await deployFixedState(client, deployer, treeRoot(TAG.node, ofState, TREE_DEPTH));
      const model = { ...anyModel, rollup };
      await send(owner, games, registerCall(model, traced, registration));
      const path = treePath(TAG.node, ofState, TREE_DEPTH, DATANET_ID);
      const commitModelCall = (of: CommittedModel) => {
        const args = [
          FAMILY_NUMBERS.text,
          statementOf(of),
          rollup,
          datanet,
          path,
          postedTuple(of, "text"),
        ] as const;
        return encodeFunctionData({ abi: disputesAbi, functionName: "commitModel", args } as never);
      };
      return {
        ...{ rollup, model, traced, posted, commitModelCall },
        /** The model commitment's number. */
        async post(of: CommittedModel = posted): Promise<bigint> {
          await send(owner, disputes, commitModelCall(of), BOND_WEI);
          return at(disputes).read("modelCommitmentCount");
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
    /** The transaction that challenges a posted row. */
    rowCall: (id: bigint, of: CommittedModel, row: number) => challengeRowCall(id, of, model, traced, row),
  };
}

const CONTENTS = TEXTS.map((_, k) => new TextEncoder().encode(`{"text":"row ${k}"}`));
const SPLIT = packSplit({ ownerParts: 13_107n, validatorParts: 8_192n });
const STATICS = { ownersCommitment: 5n, payeeRoot: 6n, split: SPLIT };
const BINDING = packBinding({
  ...{ datanetId: BigInt(DATANET_ID), version: 1n, rowCount: BigInt(TEXTS.length) },
  ...{ predecessorId: 0n, drawBits: 1n, featureCount: BigInt(COLUMNS) },
});

/** What an honest owner posts of these passes: no row is cut, and none repeats another. */
export function honestRows(rows: readonly TracedQuery[], tracing: Hex): CommittedModel {
  const real = rows.map(claimedNumbers);
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
      const residual = BigInt(Math.max(...Array.from(entriesOf(k), Math.abs)));
      return factBytes({ factor: ONE, residual, pull: 0n, length: lengthOf(entriesOf(k)), leader: k });
    }),
    features: rows.map((_, k) => Uint8Array.from(entriesOf(k), (entry) => entry & 0xff)),
    map: real.map(wordsOf),
    inputs: [],
    weights: [],
    columns: Array.from({ length: COLUMNS }, (_, j) =>
      Uint8Array.from(rows, (_row, k) => G[k * COLUMNS + j]! & 0xff),
    ),
    points: pointLeaves(columns),
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
export const columnsOf = (of: Pick<CommittedModel, "leaves">): bigint => columnsCommitment(readPoints(of)!);

export const statementOf = ({ statement }: CommittedModel) => statementTuple(statement);

/** The leaves of a state in which the committed model is, unbegun, with its datanet's version; and how both are shown. */
function stateWith({ leaves, statement }: CommittedModel) {
  const { binding, payeeRoot, ownersCommitment, split } = statement;
  const points = columnsOf({ leaves });
  const answering = tracedAnsweringHash(statement.answering, BigInt(bytesToHex(statement.roots.weights)));
  const model = unbegunModel({
    featuresCommitment: hashTagged(TAG.features, [points, answering]),
    ...{ ownersCommitment, payeeRoot, binding, split },
  });
  const datanet = datanetLeaf(statement);
  const ofState = [11n, 12n, 13n, model.hash, datanet.hash];
  const path = treePath(TAG.node, ofState, TREE_DEPTH, MODEL_ID);
  const files = { filesHash: statement.answering, columnsCommitment: points };
  return { leaves: ofState, registration: { ...model.shown, ...files, path }, datanet: datanet.shown };
}
