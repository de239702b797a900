// Worker threads do not inherit a TypeScript loader on Node 20: this plain file loads the worker
// proper. The pool (piscina) calls the default export with each task.
import { loadSource } from "@openledger/foundation/load-source";

const { answer } = await loadSource("./witness-worker.ts", import.meta.url);
export default answer;
