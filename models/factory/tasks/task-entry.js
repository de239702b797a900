// A process of its own that computes for the factory. Child processes are given no TypeScript loader: this plain file
// registers one and loads the process proper.
import { register } from "tsx/esm/api";

register();
await import("./task-process.ts");
