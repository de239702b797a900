import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { folderSource } from "@openledger/models/files/folder-source";
import { loadModel } from "@openledger/models/files/load-model";
import { openModel } from "@openledger/models/files/open-model";
import { MAX_THREAD_COUNT } from "@openledger/models/kernels/kernels";
import { nativeKernelSets } from "@openledger/models/kernels/native-kernels";
import { GpuKernels } from "@openledger/models/kernels/webgpu/gpu-kernels";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { RowTeam } from "@openledger/models/training/row-team";
import { textRows } from "@openledger/models/training/text-rows";
import {
  type TuningProgress,
  tuneAdapter,
  tuningBlocks,
  usualRecipe,
} from "@openledger/models/training/tune-adapter";
import { cardLosses, tuneOnCard } from "@openledger/models/training/tune-on-card";
import { ADAPTER, CONFIG, type ModelsBenchOptions, ROW_TOKENS, someText } from "./models.ts";

/**
 * Tuning on a graphics card beside the processor's fastest kernels on all its threads.
 *
 * @throws RollupError PRV_GPU_UNAVAILABLE
 */
export async function benchModelsOnCard(options: ModelsBenchOptions, kind: "hardware" | "software") {
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-card-"));
  try {
    await writeMadeModel(folder, makeModel(CONFIG, "bench"));
    const rows = textRows(await someText(options.rows * ROW_TOKENS + 1), ROW_TOKENS);
    const recipe = { ...usualRecipe, steps: options.steps, rowsPerStep: 8 };
    const opened = await openModel(folderSource(folder));
    let losses = 0;
    const loaded = await loadModel(opened, {
      kernels: nativeKernelSets().length > 0 ? "native" : "wasm",
      maxRows: ROW_TOKENS,
      isTraining: true,
      adapter: ADAPTER,
      adapterBlocks: tuningBlocks(recipe),
      threadCount: Math.min(availableParallelism(), MAX_THREAD_COUNT),
      placeMore: (plan) => {
        losses = plan.take(cardLosses(recipe, ROW_TOKENS));
      },
    });
    await opened.close();
    const kernels = await GpuKernels.open(loaded.model.kernels.arena, kind);
    const team = new RowTeam(loaded);
    try {
      const onCard = new Speed();
      await tuneOnCard(loaded, kernels, losses, rows, recipe, (progress) => onCard.count(progress));
      const onProcessor = new Speed();
      await tuneAdapter(loaded, team, rows, recipe, { onStep: (progress) => onProcessor.count(progress) });
      const [card, processor] = [onCard.tokensPerSecond, onProcessor.tokensPerSecond];
      console.log(
        `${kernels.adapterName}: ${Math.round(card)} tokens/s, ${loaded.model.kernels.name} ${Math.round(processor)}`,
      );
      return {
        modelsOnCard: {
          adapterName: kernels.adapterName,
          tokensPerSecond: { card: Math.round(card), processor: Math.round(processor) },
          ratio: Math.round((100 * card) / processor) / 100,
          largestLossDifference: onCard.largestDifference(onProcessor),
        },
      };
    } finally {
      await team.close();
      kernels.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** From the first step on, which warms up. */
class Speed {
  readonly #losses: number[] = [];
  #startedAtMs = 0;
  #endedAtMs = 0;
  #tokenCount = 0;

  count({ loss, tokenCount }: TuningProgress): void {
    this.#endedAtMs = performance.now();
    if (this.#losses.length === 0) this.#startedAtMs = this.#endedAtMs;
    else this.#tokenCount += tokenCount;
    this.#losses.push(loss);
  }

  get tokensPerSecond(): number {
    return (1000 * this.#tokenCount) / (this.#endedAtMs - this.#startedAtMs);
  }

  largestDifference(other: Speed): number {
    return Math.max(...this.#losses.map((loss, i) => Math.abs(loss - other.#losses[i]!)));
  }
}
