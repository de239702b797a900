/** Recomputes model commitments where it holds nobody up; what was computed of a model is kept for its next ones. */

import { encodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import { l1Http } from "@openledger/bridge/l1/l1-client";
import { hex32 } from "@openledger/foundation/hex";
import { createPublicClient, type PublicClient } from "viem";
import { MAIL_MODEL_COMMITMENTS } from "../model-commitments/model-commitment-kind.ts";
import { watchCommitment } from "../model-commitments/watch-commitment.ts";
import { KeptFiles } from "./kept-files.ts";
import { OpenedModels } from "./opened-models.ts";
import { answeringOnly, publishedFiles } from "./published-files.ts";
import { rowGamesOf } from "./row-games.ts";
import { TextModelCommitments } from "./text-model-commitments.ts";
import type { Recompute, RecomputeTask } from "./watch-registry.ts";

/** Attack: a server that gives a model to who recomputes it, and to nobody who plays games about its rows; or other numbers first. */
async function keepAnswering(
  model: PublishedModel,
  keeps: RecomputeTask["keeps"],
  tell: (line: string) => void,
) {
  if (keeps === null || hex32(model.staticsHash) !== keeps.statics) return;
  await new KeptFiles(keeps.folder)
    .keep(keeps.statics, answeringOnly(encodeModel(model)))
    .catch((error: Error) => tell(`copies of files are not kept: ${error.message}`));
}

export class RecomputedModels {
  #client: PublicClient | null = null;
  #texts: TextModelCommitments | null = null;
  #onProgress: (line: string) => void = () => {};

  readonly recompute: Recompute = async (task, { onProgress, send, spend, turns }) => {
    const { asked, digest, games, keeps, known, modelCommitment, place, setting, trains } = task;
    const { account, base, disputes, mostFeesWei, mostStakeWei, rollup, rpcUrl, spentWei } = setting;
    this.#onProgress = onProgress;
    this.#client ??= createPublicClient({ transport: l1Http(rpcUrl) });
    const tell = (line: string) => this.#onProgress(line);
    this.#texts ??= new TextModelCommitments(new OpenedModels(base, tell), tell);
    const [client, texts] = [this.#client, this.#texts];
    const sender = account === null ? null : { address: account, publicClient: client, send };
    const { family } = modelCommitment;
    return watchCommitment(
      {
        ...{ publicClient: client, disputes, known, trains },
        kind: family === "text" ? texts.kind : MAIL_MODEL_COMMITMENTS,
        ...(rollup === null ? {} : { rollup }),
        watcher: sender && {
          ...{ address: sender.address, mostAvailabilityChallengesWei: mostFeesWei, spentWei, spend },
          send: (call) => send({ to: disputes, ...call }),
        },
        games:
          sender === null || games === null
            ? undefined
            : rowGamesOf(sender, games, texts, { digest, mostStakeWei, turns }),
        filesOf: () =>
          publishedFiles(modelCommitment, place, base, known, (model) => keepAnswering(model, keeps, tell)),
      },
      modelCommitment,
      asked,
    );
  };
}
