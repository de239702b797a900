// Worker threads do not inherit a TypeScript loader on Node 20: this plain file registers one and loads the
// worker proper. The pool (piscina) calls the default export with each text.
import { register } from "tsx/esm/api";

register();
const { encode } = await import("./prompt-worker.ts");
export default encode;
