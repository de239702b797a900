// Worker threads do not inherit a TypeScript loader on Node 20: this plain file registers one and loads the
// worker proper. The pool (piscina) calls the default export with each task.
import { register } from "tsx/esm/api";

register();
const { answer } = await import("./witness-worker.ts");
export default answer;
