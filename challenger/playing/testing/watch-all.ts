/** Looks of a watcher who has the files of what is posted. */

import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { PublicClient } from "viem";
import { openChallenger } from "../../challenger.ts";
import type { ChallengerSender, ChallengerSetting } from "../../challenger-setting.ts";
import { ChallengerState } from "../../challenger-state.ts";
import type { PublishedFiles } from "../../model-commitments/examine-model-commitment.ts";
import { MAIL_MODEL_COMMITMENTS } from "../../model-commitments/model-commitment-kind.ts";
import type { ModelCommitment } from "../../model-commitments/read-model-commitments.ts";
import { openWindows } from "../../model-commitments/read-windows.ts";
import type { DisputeFixture } from "../../model-commitments/testing/dispute-fixture.ts";
import { type RowGames, type Watcher, watchCommitment } from "../../model-commitments/watch-commitment.ts";
import { inOrder } from "../../sending/l1-queue.ts";
import { openL1Sender } from "../../sending/l1-sender.ts";
import { RecomputedModels } from "../recompute.ts";
import { type CommitmentView, RegistryWatch } from "../watch-registry.ts";

/** A look at all that is posted, by whoever has these files. @param watcher null only looks */
export const watchAll = async (...args: Parameters<typeof lookAll>): Promise<readonly CommitmentView[]> =>
  (await lookAll(...args)).views;

/** The same, with what it fails with. */
export async function lookAll(...args: Parameters<typeof watchOf>) {
  return (await watchOf(...args)).look();
}

/** Who looks again and again. */
export async function watchOf(
  f: Pick<DisputeFixture, "client" | "disputes">,
  watcher: Watcher | null,
  filesOf: (modelCommitment: ModelCommitment) => Promise<PublishedFiles | null>,
  publicClient: PublicClient = f.client as never,
  everyMs: number | null = null,
  games?: RowGames,
): Promise<RegistryWatch> {
  const { address: disputes } = f.disputes;
  const registry = openWindows(publicClient, disputes);
  const mostFeesWei = watcher?.mostAvailabilityChallengesWei ?? 0n;
  return new RegistryWatch({
    setting: {
      ...{ rpcUrl: "", disputes, rollup: null, roles: new Set(["watch"]), places: {}, mostFeesWei },
      ...{ folder: null, everyMs },
    },
    sender: watcher && { address: watcher.address, publicClient, send: (call) => watcher.send(call) },
    ...{ registry, reader: null, players: null, kept: null, client: publicClient, onProgress() {} },
    state: await ChallengerState.open(null, "", () => {}),
    recompute: async ({ asked, known, modelCommitment, setting, trains }, { spend }) => {
      const files = filesOf(modelCommitment);
      // As a thread that its task has ended.
      await files.catch((error: unknown) => {
        if (isRollupError(error, "MOD_THREAD_ENDED")) throw error;
      });
      return watchCommitment(
        {
          ...{ publicClient, disputes, known, trains, kind: MAIL_MODEL_COMMITMENTS, games },
          watcher: watcher && {
            ...{ ...watcher, spend, spentWei: setting.spentWei },
            mostAvailabilityChallengesWei: setting.mostFeesWei,
          },
          filesOf: () => files,
        },
        modelCommitment,
        asked,
      );
    },
  });
}

/** A look of the fixture's watcher, or of another one, at what has these files. */
export const watchFiles = (f: DisputeFixture, files: PublishedFiles, watcher = f.watcherOf(f.watcher)) =>
  watchAll(f, watcher, async () => files);

/** A challenger of the fixture's registry, for the fixture's watcher or another account. @param publicClient what it reads L1 with */
export function challengerOf(
  f: DisputeFixture,
  changed: Partial<ChallengerSetting>,
  publicClient: PublicClient = f.client as never,
  sender?: ChallengerSender,
) {
  const watcher = f.watcherOf(f.watcher);
  return openChallenger(
    {
      ...{ rpcUrl: f.url, disputes: f.disputes.address, rollup: null, roles: new Set(["watch"]) },
      ...{ places: {}, folder: null, everyMs: null, mostFeesWei: 0n, ...changed },
    },
    {
      sender: sender ?? { address: watcher.address, publicClient, send: (call) => watcher.send(call) },
      ...{ publicClient, onProgress() {}, recompute: new RecomputedModels().recompute },
    },
  );
}

/** The fixture's owner, who shows what is asked for, of models in this folder. */
export async function defenderOf(f: DisputeFixture, models: string, publicClient?: PublicClient) {
  const sender = await openL1Sender({ account: anvilAccount(1), rpcUrl: f.url, cap: DEFAULT_SPENDING_CAP });
  const setting = { roles: new Set(["defend"] as const), places: { models } };
  return challengerOf(
    f,
    setting,
    publicClient,
    inOrder(sender, () => {}),
  );
}
