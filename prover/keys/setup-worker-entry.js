// Worker threads do not inherit a TypeScript loader on Node 20, neither from tsx nor from vitest: this
// plain file registers one and loads the worker proper. It resolves tsx from here, so any working
// directory will do. The pool (piscina) calls the default export with each task.
import { register } from "tsx/esm/api";

register();
const { default: run } = await import("./setup-worker.ts");
export default run;
