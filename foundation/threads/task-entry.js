// Worker threads do not inherit a TypeScript loader on Node 20, neither from tsx nor from vitest: this plain file loads the
// module of the tasks, from any working directory. Piscina calls the default export with each task of task-pool.ts.
import { move, transferableSymbol, valueSymbol, workerData } from "piscina";
import { loadSource } from "../load-source.js";

/** Loaded with the first task: what fails in a thread's start is told to nobody by Piscina 5.3.2, and what waits hangs. */
let tasks = null;

export default async function runTask({ name, input, port }) {
  try {
    tasks ??= loadSource(workerData.module, import.meta.url);
    const result = await (await tasks)[name](input, (part) => port?.postMessage(part));
    if (typeof result !== "object" || result === null || !(transferableSymbol in result))
      return { value: result };
    const outcome = { value: result[valueSymbol] };
    return move({ [transferableSymbol]: result[transferableSymbol], [valueSymbol]: outcome });
  } catch (error) {
    return outcomeOf(error);
  } finally {
    port?.close();
  }
}

/** An error may carry what cannot be copied, a function say; those of Node's loader lose their message. */
function outcomeOf(error) {
  try {
    if (error?.name !== "RollupError") {
      const failure = structuredClone(error);
      if (failure?.message !== error?.message) throw error;
      return { failure };
    }
    const { code, message, data, isRetryable, remedy } = error;
    return { refusal: structuredClone({ code, message, data, isRetryable, remedy }) };
  } catch {
    return { failure: new Error(String(error)) };
  }
}
