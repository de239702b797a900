/** Tunes a made model with a state on disk after every step, and says each step on its standard output. */

import type { KernelChoice } from "../engine/kernels/create-kernels.ts";
import { RowTeam, tuneAdapter } from "../tuning/training/tune-adapter.ts";
import { loadForTuning, tuningRecipe, tuningRows } from "./tuned-model.ts";

const LAST_STEP = 60;

const [base, folder, kernels] = process.argv.slice(2) as [string, string, KernelChoice];
const loaded = await loadForTuning(base, kernels, 1);
await tuneAdapter(loaded, new RowTeam(loaded), tuningRows, tuningRecipe, {
  folder,
  stepsPerCheckpoint: 1,
  onStep: ({ step }) => {
    process.stdout.write(`${step}\n`);
    // Where the one who should kill it is late: it must never reach its end.
    if (step === LAST_STEP) process.kill(process.pid, "SIGKILL");
  },
});
