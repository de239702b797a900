// A process of its own that computes for the factory. Child processes are given no TypeScript loader: this plain file
// loads the process proper.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./task-process.ts", import.meta.url);
