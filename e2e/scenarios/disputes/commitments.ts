/** False commitments against `openledger challenger`: each is refuted before its window ends, or it is a finding. */
import { writeFile } from "node:fs/promises";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { readDisputes } from "@openledger/challenger/events/read-contracts";
import { GameReader, rowOfKey } from "@openledger/challenger/games/read-games";
import { TracePlayer } from "@openledger/challenger/games/trace-player";
import { commitModelCall } from "@openledger/challenger/model-commitments/ledger-proofs";
import { readWindows, recomputedLine } from "@openledger/challenger/model-commitments/read-windows";
import { againBetweenBatches } from "@openledger/challenger/sending/between-batches";
import { type CommittedModel, TREES } from "@openledger/challenger/statements/committed-model";
import { encodeLeaves } from "@openledger/challenger/statements/leaf-file";
import { FAMILY_NUMBERS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { encodeFunctionData, parseEventLogs } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import type { ManagedProcess } from "../../world/process.ts";
import type { CommitmentLie, MadeLie } from "./lie.ts";
import type { CreatedModel, DisputeWorld, Family } from "./world.ts";

/** A watcher on a busy machine looks, trains again and sends in less. */
export const LIE_TIMEOUT_MS = 150_000;

/** With its family before the lie's name. */
export interface PreparedLie {
  readonly name: string;
  readonly family: Family;
  readonly lie: Omit<CommitmentLie<never>, "make">;
  readonly made: MadeLie<PublishedModel>;
}

/** A commitment on L1 that must not count. */
export interface Committed {
  readonly name: string;
  readonly fault: string;
  readonly id: bigint;
  readonly model: CreatedModel;
  /** Moves of an owner who defends it. */
  readonly defend: (() => Promise<unknown>) | null;
}

async function commit(
  f: DisputeWorld,
  { family, owner }: CreatedModel,
  posted: CommittedModel,
): Promise<bigint> {
  const account = f.account(owner, f.gate);
  const valueWei = await readDisputes(f.l1, f.gate)("leastBondWei", []);
  const { hash } = await againBetweenBatches(
    async () => {
      const call = await commitModelCall(f.clients[owner], FAMILY_NUMBERS[family], posted, family);
      return account.send({ data: encodeFunctionData({ abi: disputesAbi, ...call } as never), valueWei });
    },
    () => f.tell("a batch came between: the rows are opened in the new state"),
  );
  const { logs } = await f.l1.getTransactionReceipt({ hash });
  return parseEventLogs({ abi: disputesAbi, eventName: "ModelCommitted", logs })[0]!.args.id;
}

export async function commitLie(
  f: DisputeWorld,
  model: CreatedModel,
  { name, lie: { fault, isFought, isServed }, made: { own, posted } }: PreparedLie,
): Promise<Committed> {
  const committed = posted(model.modelId);
  if (isServed !== false)
    await writeFile(`${model.publishedIn}/${LEAF_FILE}`, encodeLeaves(committed.leaves));
  const id = await commit(f, model, committed);
  const player = new TracePlayer({
    ...{ publicClient: f.l1, game: f.game, challenges: false },
    ...{ account: f.account(model.owner, f.game), traceOf: () => own },
    model: { rollup: f.rollup, modelId: BigInt(model.modelId) },
  });
  return { name, fault, id, model, defend: isFought ? () => player.playOnce() : null };
}

/** Published where watchers look. */
export async function publish({ publishedIn }: CreatedModel, model: PublishedModel): Promise<void> {
  await writeModel(publishedIn, model).catch((error: unknown) => {
    if (!isRollupError(error, "ATT_MODEL_EXISTS")) throw error;
  });
}

const windowOf = async ({ gate, l1 }: DisputeWorld, { id, model }: Pick<Committed, "id" | "model">) =>
  (await readWindows(l1, gate, { modelId: model.modelId })).find((one) => one.id === id)!;

/** Whether the watcher has shown what is wrong, in time. What it shows has to be what the lie is about. */
export async function isRefuted(f: DisputeWorld, lie: Committed): Promise<boolean> {
  const startedAtMs = performance.now();
  try {
    const { refutation, refutedBy } = await f.world.waitFor(
      `watch to refute "${lie.name}"`,
      async () => {
        await lie.defend?.();
        const window = await windowOf(f, lie);
        return window.state === "refuted" ? window : null;
      },
      LIE_TIMEOUT_MS,
    );
    const ms = Math.round(performance.now() - startedAtMs);
    const isMeant = refutedBy === drillAccount("watcher").address && refutation!.fault === lie.fault;
    const by = isMeant ? refutation!.fault : `${refutation!.fault} of ${refutedBy}, NOT AS MEANT`;
    f.tell(`${lie.name}: refuted by ${by}, after ${ms} ms`);
    return isMeant;
  } catch (error) {
    if (!isRollupError(error, "DRL_TIMEOUT")) throw error;
    f.tell(`${lie.name}: NOT REFUTED, commitment ${lie.id} of model ${lie.model.modelId}`);
    return false;
  }
}

export const readerOf = ({ game, l1, rollup }: DisputeWorld) => new GameReader(l1, game, { rollup });

/** Whether the watcher has asked for the last leaf of each tree, or begun the game: the rest is its clock. */
export async function isBegun(f: DisputeWorld, { fault, id, model }: Committed): Promise<boolean> {
  if (fault === "Row") {
    const { claims } = await readerOf(f).claims({ rollup: f.rollup, modelId: BigInt(model.modelId) });
    return claims.some(({ isRow, key }) => isRow && rowOfKey(key).modelCommitment === id);
  }
  const of = {
    address: f.gate,
    abi: disputesAbi,
    eventName: "AvailabilityChallenged",
    fromBlock: 0n,
  } as const;
  const asked = await f.l1.getContractEvents({ ...of, args: { id }, strict: true });
  return asked.length > 0;
}

/** By the command, of the files as they are published. */
export async function commitHonestly(f: DisputeWorld, model: CreatedModel): Promise<Committed> {
  const { modelCommitment } = await f.run.run<{ modelCommitment: string }>(
    ...[...f.commands.commit({ ...model, folder: model.publishedIn }), ...f.as(model.owner)],
  );
  return { name: "honest", fault: "", id: BigInt(modelCommitment), model, defend: null };
}

/** By the watcher, which found nothing wrong. */
export const recomputed = (
  f: DisputeWorld,
  { id, model: { modelId } }: Committed,
  watch: ManagedProcess,
): Promise<unknown> =>
  f.world.waitFor(
    `watch to recompute model ${modelId}`,
    async () => watch.hasSaid(recomputedLine({ id, modelId })),
    2 * LIE_TIMEOUT_MS,
  );

/** Somebody challenges a leaf of an honest commitment, and its owner shows it by the command. */
export async function challengeLeaf(f: DisputeWorld, { id, model }: Committed): Promise<void> {
  const tree = TREES.indexOf("map");
  const { baseFeePerGas } = await f.l1.getBlock();
  const feeWei = await readDisputes(f.l1, f.gate)("availabilityFeeFor", [id, tree, 2n * baseFeePerGas!]);
  const args = [id, tree, 3n] as const;
  const data = encodeFunctionData({ abi: disputesAbi, functionName: "challengeAvailability", args });
  await f.account("customer", f.gate).send({ data, valueWei: feeWei });
  await f.run.run(
    ...[...f.commands.showLeaves({ ...model, folder: model.publishedIn }), ...f.as(model.owner)],
  );
  if ((await windowOf(f, { id, model })).openAvailabilityChallengeCount !== 0)
    throw drillError("DRL_UNEXPECTED", `a challenged leaf of commitment ${id} was not shown`);
}

/** Honest commitments that somebody has refuted. */
export async function refutedOf(f: DisputeWorld, honest: readonly Committed[]): Promise<number> {
  const windows = await Promise.all(honest.map((one) => windowOf(f, one)));
  return windows.filter(({ state }) => state === "refuted").length;
}
