// Worker threads do not inherit a TypeScript loader on Node 20: this plain file loads the worker
// proper.
import { loadSource } from "../../foundation/load-source.js";

await loadSource("./batch-worker.ts", import.meta.url);
