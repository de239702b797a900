// A process of its own that computes for the factory. Child processes are given no TypeScript loader: this plain file
// loads the process proper.
import { loadSource } from "../../../foundation/load-source.js";

await loadSource("./task-process.ts", import.meta.url);
