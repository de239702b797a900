// As sequencer/intake/signature-worker-entry.js, for a piscina pool.
import { loadSource } from "@openledger/foundation/load-source";

const { default: run } = await loadSource("./pools-worker.ts", import.meta.url);
export default run;
