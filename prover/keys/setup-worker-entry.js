// Worker threads do not inherit a TypeScript loader on Node 20, neither from tsx nor from vitest: this
// plain file loads the worker proper, from any working directory. The pool (piscina) calls the default export with each task.
import { loadSource } from "@openledger/foundation/load-source";

const { default: run } = await loadSource("./setup-worker.ts", import.meta.url);
export default run;
