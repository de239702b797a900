/** A chain with the registry, for tests and measurements of direct models. */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { deployRegistry, FAMILY_NUMBERS, WEEK_SECONDS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi, judgeAbis } from "@openledger/contracts/build/disputes-abi";
import { startChain } from "@openledger/contracts/testing/chain";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { refusalOf, type TriedCall } from "@openledger/contracts/testing/refusal-of";
import { type Abi, encodeFunctionData, getContract, type Hex, parseEther } from "viem";
import {
  type CommittedModel,
  type DisputeStatement,
  type Leaves,
  TREES,
  type TreeName,
  withTrees,
} from "../../statements/committed-model.ts";
import type { DirectFault } from "../../statements/direct-faults.ts";
import { directModelCommitment, mapPlaces } from "../../statements/direct-model-commitment.ts";
import { int64Bytes, pairBytes, readInt64s } from "../../statements/leaf-bytes.ts";
import { encodeLeaves } from "../../statements/leaf-file.ts";
import { postedTuple, shownLeaf, statementTuple } from "../../statements/model-commitment-calls.ts";
import { versionRowOf } from "../../statements/tie-faults.ts";
import { directChallengeData } from "../direct-calls.ts";
import type { PublishedFiles } from "../examine-model-commitment.ts";
import type { Watcher } from "../watch-commitment.ts";
import { type DirectCase, registeredDirect } from "./direct-case.ts";
import { rowsInState } from "./rows-in-state.ts";

export const BOND_WEI = parseEther("1");
export const AVAILABILITY_CHALLENGE_FEE_WEI = parseEther("0.01");

export type DisputeFixture = Awaited<ReturnType<typeof startDisputes>>;

/** @param options.mostRows of the models that are posted: constants for so many are stored, some 5 million gas a chunk */
export async function startDisputes({ mostRows = 48 } = {}) {
  const { accounts, client, clientsOf, gasOf, passTime, stop, url, walletOf } = await startChain();
  const [deployer, owner, watcher, stranger] = accounts as [Hex, Hex, Hex, Hex];
  const clients = clientsOf(deployer);
  const parameters = {
    windowSeconds: WEEK_SECONDS,
    leastBondWei: BOND_WEI,
    availabilityChallengeFeeWei: AVAILABILITY_CHALLENGE_FEE_WEI,
  };
  const { address, math } = await deployRegistry(clients, parameters, { mostRows });
  const disputes = getContract({ address, abi: disputesAbi, client });
  const [{ judges }] = (await disputes.read.families()) as unknown as [{ judges: readonly Hex[] }];
  /** A judge of direct models. */
  const judgeAt = <Judge extends 0 | 1 | 2 | 3>(judge: Judge) =>
    getContract({ address: judges[judge]!, abi: judgeAbis.direct[judge], client });
  const texts = judgeAt(3);
  /** A rollup that is its state's root and its gate, the registry. */
  const deployState = (root: bigint) => deployFixedState(client, deployer, root, address);
  /** What `commitModel` takes, with a rollup of its own that has the statement's rows. */
  const postArguments = async (posted: CommittedModel) => {
    const { leaf, path, root } = rowsInState(posted.statement);
    const shown = [await deployState(root), leaf, path, postedTuple(posted, "direct")] as const;
    return [FAMILY_NUMBERS.direct, statementTuple(posted.statement), ...shown] as const;
  };
  const callOf = (functionName: string, args: readonly unknown[]) =>
    encodeFunctionData({ abi: disputesAbi, functionName, args } as never);
  /** The name of the error that a call reverts with; null for none. Other failures are thrown on. */
  const refusal = (call: TriedCall) => refusalOf(client, disputesAbi as Abi, call);
  return {
    ...{ client, disputes, math, owner, passTime, stop, stranger, texts, url, watcher },
    watcherOf: (who: Hex): Watcher => ({
      address: who,
      mostAvailabilityChallengesWei: 10n * AVAILABILITY_CHALLENGE_FEE_WEI,
      spentWei: 0n,
      spend: async () => {},
      async send({ data, valueWei }) {
        const hash = await walletOf(who).sendTransaction({ to: address, data, value: valueWei });
        return { hash, gasUsed: await gasOf(hash) };
      },
    }),
    /** Posts, by the owner; the model commitment's id. */
    async post(posted: CommittedModel, bondWei = BOND_WEI): Promise<bigint> {
      const args = await postArguments(posted);
      await disputes.write.commitModel(args as never, { account: owner, value: bondWei });
      return disputes.read.modelCommitmentCount();
    },
    /** Somebody challenges a leaf, for the least fee. */
    ask: (id: bigint, tree: TreeName, index: bigint, account = stranger) =>
      disputes.write.challengeAvailability([id, TREES.indexOf(tree), index], {
        ...{ account, value: AVAILABILITY_CHALLENGE_FEE_WEI },
      }),
    /** All leaves that were challenged, the last one at the end. */
    async asked(): Promise<(readonly [tree: TreeName, index: number])[]> {
      const events = await disputes.getEvents.AvailabilityChallenged({}, { fromBlock: 0n });
      return events.map(({ args: { index, tree } }) => [TREES[tree!]!, Number(index)]);
    },
    /** The owner shows leaves. @param rows the version's: of a row its content is shown */
    show(
      id: bigint,
      posted: CommittedModel,
      places: readonly (readonly [tree: TreeName, index: number])[],
      rows?: readonly OwnedRow[],
    ) {
      const leaves = places.map((place) => shownLeaf(posted, ...place, rows));
      return disputes.write.answer([id, statementTuple(posted.statement), leaves], { account: owner });
    },
    deployState,
    postArguments,
    refusal,
    /** The same of a function of the registry. */
    refused: (account: Hex, functionName: string, args: readonly unknown[], value = 0n) =>
      refusal({ account, to: address, data: callOf(functionName, args), value }),
    /** The same of the watcher's challenge of one place. @param made whose rows the version has */
    judged: ({ rows }: Pick<DirectCase, "rows">, id: bigint, posted: CommittedModel, fault: DirectFault) =>
      refusal({ account: watcher, to: address, data: directChallengeData(id, posted, rows, fault) }),
    send: (account: Hex, functionName: string, args: readonly unknown[], value = 0n) =>
      client.sendTransaction({
        account,
        to: address,
        data: callOf(functionName, args),
        value,
        gas: 5_000_000n,
      }),
  };
}

/** One of the leaves changed. */
export const withLeaf = (
  { honest: { leaves } }: Pick<DirectCase, "honest">,
  tree: TreeName,
  index: number,
  bytes: Uint8Array,
): Partial<Leaves> => ({ [tree]: leaves[tree].map((leaf, i) => (i === index ? bytes : leaf)) });

/** A token list that is no row's own. */
export const falseTokens = (made: DirectCase) => lie(made, withLeaf(made, "tokens", 1, pairBytes([[3, 1]])));

/** A version that has another row at a place than the model's, and its root. */
export function otherVersion({ rows }: Pick<DirectCase, "rows">, row: number) {
  const version = rows.with(row, { ...rows[row]!, content: rows[row + 1]!.content });
  return { version, rowsRoot: versionRowsRoot(version.map(versionRowOf)) };
}

/** What is published beside a model without its leaves. */
export const withoutLeaves = ({ model, rows }: Pick<DirectCase, "model" | "rows">): PublishedFiles => ({
  ...{ model, rows, leaves: null, mismatch: null },
});

/** What a hostile owner posts and publishes: other leaves. @param numbers what his statement says besides */
export function lie(
  { honest, model, rows }: DirectCase,
  leaves: Partial<Leaves>,
  numbers: Partial<DisputeStatement> = {},
): { posted: CommittedModel; files: PublishedFiles } {
  const posted = withTrees({ ...honest.leaves, ...leaves }, { ...honest.statement, ...numbers });
  return { posted, files: { model, rows, leaves: encodeLeaves(posted.leaves), mismatch: null } };
}

/** A false row of the registered model, whose leaves fit to it, of which nobody publishes any. */
export function falseRow({ contents, rows, trained }: DirectCase, row = 3) {
  const { featureCount: width } = trained.features;
  const values = trained.features.values.slice();
  values.copyWithin(row * width, 20 * width, 21 * width);
  const model = registeredDirect({ ...trained, features: { ...trained.features, values } } as never);
  return { files: withoutLeaves({ model, rows }), own: directModelCommitment(model, contents, 11) };
}

/** The same with a tree of which no leaf is known: one is another right one, within its tolerance, so no challenge is about it. */
export function hiddenLie(made: DirectCase, other: Partial<Leaves> = {}) {
  const { files, own } = falseRow(made);
  const width = own.statement.columnCount;
  const place = mapPlaces(width).curvature + 5;
  const moved = readInt64s(own.leaves.map[place]!, width)!.map((one, i) => one + BigInt(i === 5));
  const map = own.leaves.map.with(place, int64Bytes(moved));
  return { files, posted: withTrees({ ...own.leaves, map, ...other }, own.statement) };
}
