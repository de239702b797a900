// Worker threads do not inherit a TypeScript loader on Node 20, neither from tsx nor from vitest: this
// plain file registers one and loads the worker proper. It resolves tsx from here, so any working
// directory will do.
import { register } from "tsx/esm/api";

register();
await import("./setup-worker.ts");
