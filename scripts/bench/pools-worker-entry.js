// As sequencer/intake/signature-worker-entry.js, for a piscina pool.
import { register } from "tsx/esm/api";

register();
const { default: run } = await import("./pools-worker.ts");
export default run;
