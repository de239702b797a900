// The pool (piscina) calls the default export with each text.
import { loadSource } from "@openledger/foundation/load-source";

const { encode } = await loadSource("./prompt-worker.ts", import.meta.url);
export default encode;
