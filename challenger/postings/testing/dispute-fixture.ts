/** A chain with the contract Disputes, and a small model of e-mails, for tests and measurements. */

import type { ClassifierParts } from "@openledger/attribution/model/classifier-family";
import type { Trained } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { Recipe } from "@openledger/attribution/model/recipe";
import { registerModel } from "@openledger/attribution/model/registration";
import { trainModel } from "@openledger/attribution/model/trained-model";
import { recipeFor, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { commitColumns, featuresCommitment } from "@openledger/circuits/settlement/feature-commitment";
import {
  type DisputesParameters,
  deployDirectDisputes,
  deployDisputes,
  deployLedgerMath,
  missingChunks,
  storeChunks,
  WEEK_SECONDS,
} from "@openledger/contracts/build/deploy-disputes";
import { directDisputesAbi, disputesAbi, rowTextsAbi } from "@openledger/contracts/build/disputes-abi";
import { startAnvil } from "@openledger/contracts/internal/l1/anvil";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { refusalOf, type TriedCall } from "@openledger/contracts/testing/refusal-of";
import { connect } from "@openledger/contracts/testing/rollup-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { type Abi, createWalletClient, custom, getContract, parseEther } from "viem";
import { encodeLeaves } from "../../statements/leaf-file.ts";
import {
  type DisputeStatement,
  type Leaves,
  type PostedModel,
  postedModel,
  withTrees,
} from "../../statements/posted-model.ts";
import { statementTuple } from "../../statements/posting-calls.ts";
import type { PublishedFiles } from "../examine-posting.ts";
import { type Watched, type Watcher, watchOnce } from "../watch-postings.ts";
import { rowsInState } from "./rows-in-state.ts";

export const BOND_WEI = parseEther("1");
export const DEMAND_FEE_WEI = parseEther("0.01");
const EARNER_PARTS = { ownerParts: 13_107n, validatorParts: 8_192n };

export type DisputeFixture = Awaited<ReturnType<typeof startDisputes>>;

/** @param options.mostRows of the models that are posted: constants for so many are stored, some 5 million gas a chunk */
export async function startDisputes({
  mostRows = 48,
  isDirect = false,
  ...changed
}: Partial<DisputesParameters> & { mostRows?: number; isDirect?: boolean } = {}) {
  const anvil = await startAnvil();
  const client = await connect(anvil);
  const [deployer, owner, watcher, stranger] = (await client.getAddresses()) as [
    `0x${string}`,
    `0x${string}`,
    `0x${string}`,
    `0x${string}`,
  ];
  const walletOf = (account: `0x${string}`) =>
    createWalletClient({ account, chain: client.chain, transport: custom(client) });
  const clients = { walletClient: walletOf(deployer), publicClient: client as never };
  const math = await deployLedgerMath(clients);
  const storedGas = await storeChunks(clients, math, await missingChunks(client as never, math, mostRows));
  const parameters = { windowSeconds: WEEK_SECONDS, leastBondWei: BOND_WEI, demandFeeWei: DEMAND_FEE_WEI };
  const deploy = isDirect ? deployDirectDisputes : deployDisputes;
  const address = await deploy(clients, { ...parameters, ...changed }, math);
  const disputes = getContract({ address, abi: disputesAbi, client });
  const texts = getContract({ address: await disputes.read.texts(), abi: rowTextsAbi, client });
  /** A contract that answers every call with this word: a rollup's state begins with its root. */
  const deployState = (root: bigint) => deployFixedState(client, deployer, root);
  /** What `post` takes, with a rollup of its own that has the statement's rows. */
  const postArguments = async (statement: DisputeStatement) => {
    const { leaf, path, root } = rowsInState(statement);
    return [statementTuple(statement), await deployState(root), leaf, path] as const;
  };
  return {
    url: anvil.url,
    client,
    disputes,
    texts,
    math,
    storedGas,
    owner,
    watcher,
    stranger,
    watcherOf: (who: `0x${string}`): Watcher => ({
      address: who,
      mostDemandsWei: 10n * DEMAND_FEE_WEI,
      async send({ data, valueWei }) {
        const hash = await walletOf(who).sendTransaction({ to: address, data, value: valueWei });
        return { hash, gasUsed: (await client.getTransactionReceipt({ hash })).gasUsed };
      },
    }),
    stop: () => anvil.stop(),
    /** Posts, by the owner; the posting's id. */
    async post(statement: DisputeStatement, bondWei = BOND_WEI): Promise<bigint> {
      const args = await postArguments(statement);
      await disputes.write.post(args as never, { account: owner, value: bondWei });
      return disputes.read.postingCount();
    },
    deployState,
    postArguments,
    /** The name of the error that a call reverts with; null for none. Other failures are thrown on. */
    refusal: (call: TriedCall) => refusalOf(client, [...disputesAbi, ...directDisputesAbi] as Abi, call),
    async passTime(seconds: bigint): Promise<void> {
      await client.increaseTime({ seconds: Number(seconds) });
      await client.mine({ blocks: 1 });
    },
  };
}

/** A look of the fixture's watcher, or of another one, at what has these files. */
export const watchFiles = (
  f: DisputeFixture,
  files: PublishedFiles,
  watcher = f.watcherOf(f.watcher),
): Promise<Watched[]> =>
  watchOnce({
    publicClient: f.client as never,
    watcher,
    disputes: f.disputes.address,
    filesOf: async () => files,
  });

export interface TrainedCase {
  readonly contents: readonly Uint8Array[];
  readonly rows: readonly OwnedRow[];
  readonly model: PublishedModel<ClassifierParts>;
  readonly honest: PostedModel;
}

/** A model of these rows, or of this many e-mails, and what its honest owner posts. */
export async function trainedCase(
  given: number | readonly OwnedRow[],
  changed: Partial<Recipe> = {},
): Promise<TrainedCase> {
  await initPoseidon();
  const rows = typeof given === "number" ? sampleRows("email", given) : given;
  const trained = trainModel(rows, recipeFor(rows, { isChallengeable: true, ...changed }));
  const model = registered(trained);
  const contents = rows.map(({ content }) => content);
  return { contents, rows, model, honest: postedModel(model, contents, 11) };
}

/** As its owner registers and publishes it. */
export function registered(trained: Trained<ClassifierParts>, draws = 4): PublishedModel<ClassifierParts> {
  const size = {
    rows: trained.rows.length,
    earners: trained.earners.length,
    features: trained.recipe.columnCount,
    draws,
  };
  const registration = registerModel(trained, { split: EARNER_PARTS }, size);
  return publishedModel(trained, registration, { publishRows: true });
}

/**
 * What a hostile owner publishes beside a posting with other leaves. A G of his own he has registered, too: its columns,
 * points and statics fit. @param numbers what his statement says besides
 */
export function lie(
  { honest, model, rows }: TrainedCase,
  leaves: Partial<Leaves>,
  numbers: Partial<DisputeStatement> = {},
): { posted: PostedModel; files: PublishedFiles } {
  const isRegistered = leaves.features !== undefined && leaves.columns === undefined;
  const made = isRegistered ? registeredLie(honest, model, leaves.features!) : {};
  const posted = withTrees(
    { ...honest.leaves, ...made.leaves, ...leaves },
    { ...honest.statement, ...made.numbers, ...numbers },
  );
  return { posted, files: { model, rows, leaves: encodeLeaves(posted.leaves), mismatch: null } };
}

function registeredLie(
  { statement }: PostedModel,
  { answeringHash, statics }: TrainedCase["model"],
  features: readonly Uint8Array[],
): { leaves?: Partial<Leaves>; numbers?: Partial<DisputeStatement> } {
  const { columnCount, rowCount } = statement;
  const G = new Int8Array(Buffer.concat(features));
  const columns = commitColumns(G, rowCount, columnCount);
  const staticsHash = hashStatics({
    ...statics,
    featuresCommitment: featuresCommitment(columns, answeringHash),
  });
  return {
    leaves: {
      columns: Array.from({ length: columnCount }, (_, j) => Uint8Array.from(features, (row) => row[j]!)),
      points: columns.u.map((u, j) => Buffer.from(hex32(u).slice(2) + hex32(columns.v[j]!).slice(2), "hex")),
    },
    numbers: { staticsHash },
  };
}
