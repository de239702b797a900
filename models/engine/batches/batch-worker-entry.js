// Worker threads do not inherit a TypeScript loader on Node 20: this plain file loads the worker
// proper.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./batch-worker.ts", import.meta.url);
