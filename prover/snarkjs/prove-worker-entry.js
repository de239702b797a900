// A child process starts without a TypeScript loader: this plain file loads the worker
// proper, from any working directory.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./prove-worker.ts", import.meta.url);
