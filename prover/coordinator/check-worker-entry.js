// Worker threads do not inherit a TypeScript loader on Node 20: this plain file registers one and loads the
// worker proper.
import { register } from "tsx/esm/api";

register();
await import("./check-worker.ts");
