import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { folderSource } from "../../models/files/folder-source.ts";
import { loadModel } from "../../models/files/load-model.ts";
import { openModel } from "../../models/files/open-model.ts";
import { MAX_THREAD_COUNT } from "../../models/kernels/kernels.ts";
import { nativeKernelSets } from "../../models/kernels/native-kernels.ts";
import { GpuKernels } from "../../models/kernels/webgpu/gpu-kernels.ts";
import { makeModel, writeMadeModel } from "../../models/testing/made-models.ts";
import { RowTeam } from "../../models/training/row-team.ts";
import { textRows } from "../../models/training/text-rows.ts";
import {
  type TuningProgress,
  tuneAdapter,
  tuningBlocks,
  usualRecipe,
} from "../../models/training/tune-adapter.ts";
import { cardLosses, tuneOnCard } from "../../models/training/tune-on-card.ts";
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
