/** A chain with the contract Disputes, and a small model of e-mails, for tests and measurements. */
import { type BaseError, createWalletClient, custom, decodeErrorResult, getContract, parseEther } from "viem";
import { encodeLeaves } from "../../../attribution/disputes/leaf-file.ts";
import {
  type DisputeStatement,
  type Leaves,
  type PostedModel,
  postedModel,
  withTrees,
} from "../../../attribution/disputes/posted-model.ts";
import type { ClassifierParts } from "../../../attribution/model/classifier-family.ts";
import type { PublishedModel } from "../../../attribution/model/model-files.ts";
import type { Recipe } from "../../../attribution/model/recipe.ts";
import { trainModel } from "../../../attribution/model/trained-model.ts";
import { recipeFor, sampleRows } from "../../../attribution/testing/sample-rows.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { deployDisputes, WEEK_SECONDS } from "../../../contracts/build/deploy-disputes.ts";
import { disputesAbi } from "../../../contracts/build/disputes-abi.ts";
import { startAnvil } from "../../../contracts/l1/anvil.ts";
import { connect } from "../../../contracts/testing/rollup-fixture.ts";
import { statementTuple } from "../dispute-calls.ts";
import type { PublishedFiles } from "../examine-posting.ts";
import type { Watcher } from "../watch-postings.ts";

export const BOND_WEI = parseEther("1");
export const DEMAND_FEE_WEI = parseEther("0.01");
const STATICS_HASH = 5n;

export type DisputeFixture = Awaited<ReturnType<typeof startDisputes>>;

export async function startDisputes() {
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
  const address = await deployDisputes(
    { walletClient: walletOf(deployer), publicClient: client as never },
    { windowSeconds: WEEK_SECONDS, leastBondWei: BOND_WEI, demandFeeWei: DEMAND_FEE_WEI },
  );
  const disputes = getContract({ address, abi: disputesAbi, client });
  return {
    client,
    disputes,
    owner,
    watcher,
    stranger,
    watcherOf: (who: `0x${string}`): Watcher => ({
      address: who,
      paysDemands: true,
      async send({ data, valueWei }) {
        const hash = await walletOf(who).sendTransaction({ to: address, data, value: valueWei });
        return { hash, gasUsed: (await client.getTransactionReceipt({ hash })).gasUsed };
      },
    }),
    stop: () => anvil.stop(),
    /** Posts, by the owner; the posting's id. */
    async post(statement: DisputeStatement, bondWei = BOND_WEI): Promise<bigint> {
      await disputes.write.post([statementTuple(statement)], { account: owner, value: bondWei });
      return disputes.read.postingCount();
    },
    /** The name of the error that a call reverts with; null for none. Other failures are thrown on. */
    async refusal(call: { account: `0x${string}`; to: `0x${string}`; data: `0x${string}`; value?: bigint }) {
      try {
        await client.call(call);
        return null;
      } catch (error) {
        const raw = (error as BaseError).walk((e) => (e as { data?: unknown }).data !== undefined);
        const data = (raw as { data?: unknown } | null)?.data;
        const bytes = typeof data === "string" ? data : (data as { data?: string } | undefined)?.data;
        if (bytes === undefined) throw error;
        return decodeErrorResult({ abi: disputesAbi, data: bytes as `0x${string}` }).errorName;
      }
    },
    async passTime(seconds: bigint): Promise<void> {
      await client.increaseTime({ seconds: Number(seconds) });
      await client.mine({ blocks: 1 });
    },
  };
}

export interface TrainedCase {
  readonly contents: readonly Uint8Array[];
  readonly model: PublishedModel<ClassifierParts>;
  readonly honest: PostedModel;
}

/** A model of this many e-mails, and what its honest owner posts. */
export async function trainedCase(rowCount: number, changed: Partial<Recipe> = {}): Promise<TrainedCase> {
  await initPoseidon();
  const rows = sampleRows("email", rowCount);
  const trained = trainModel(rows, recipeFor(rows, changed));
  const model = { ...trained, staticsHash: STATICS_HASH } as unknown as PublishedModel<ClassifierParts>;
  const contents = rows.map(({ content }) => content);
  return { contents, model, honest: postedModel(model, contents, 11) };
}

/** What a hostile owner publishes beside a posting with other leaves. */
export function lie(
  { honest, contents, model }: TrainedCase,
  leaves: Partial<Leaves>,
): { posted: PostedModel; files: PublishedFiles } {
  const posted = withTrees({ ...honest.leaves, ...leaves }, honest.statement);
  return { posted, files: { model, contents, leaves: encodeLeaves(posted.leaves), mismatch: null } };
}
