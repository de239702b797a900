// A child process starts without a TypeScript loader: this plain file registers one and loads the worker
// proper. It resolves tsx from here, so any working directory will do.
import { register } from "tsx/esm/api";

register();
await import("./prove-worker.ts");
