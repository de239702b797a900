/** A sequencer's start on a large ledger, and a restore from a snapshot of it. */
import { availableParallelism } from "node:os";
import { measureRestart, type RestartFigures } from "@openledger/sequencer/testing/measure-restart";

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

function print({ parts, peakMemoryBytes, processorMs, readyMs, size, snapshot, storeBytes }: RestartFigures) {
  const { checkMs, checkedBytes, checkedCount, hashMs, leafCount, readMs, replayMs } = parts;
  console.log(
    `${leafCount} leaves, ${size} operations, store ${mebibytes(storeBytes)}: ready after ${seconds(readyMs)}, ` +
      `${seconds(processorMs)} of processor time, peak ${mebibytes(peakMemoryBytes)}`,
  );
  console.log(
    `  check of ${checkedCount} values, ${mebibytes(checkedBytes)}: ${seconds(checkMs)}; leaves read: ${seconds(readMs)}; ` +
      `tree: ${seconds(hashMs)}; batches that are not final and the open one: ${seconds(replayMs)}`,
  );
  console.log(
    `  snapshot of ${mebibytes(snapshot.fileBytes)} made in ${seconds(snapshot.makeMs)}, restored from in ` +
      `${seconds(snapshot.restoreMs)}, ${seconds(snapshot.restoreProcessorMs)} of processor time`,
  );
}

export async function benchRestart(options: { sizes: string; rounds: string; check: string; keep?: string }) {
  const restarts = [];
  for (const text of options.sizes.split(",")) {
    const figures = await measureRestart(
      {
        size: Number(text),
        rounds: Number(options.rounds),
        folder: options.keep,
        storeCheck: options.check,
      },
      (line) => console.log(line),
    );
    print(figures);
    restarts.push(figures);
  }
  return { restarts, check: options.check, cores: availableParallelism() };
}
