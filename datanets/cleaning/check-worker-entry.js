// As sequencer/intake/signature-worker-entry.js.
import { loadSource } from "../../foundation/load-source.js";

await loadSource("./check-worker.ts", import.meta.url);
