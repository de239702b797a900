// The pool (piscina) calls the default export with each recomputation.
import { loadSource } from "@openledger/foundation/load-source";

const { runRecomputation } = await loadSource("./recompute-worker.ts", import.meta.url);
export default runRecomputation;
