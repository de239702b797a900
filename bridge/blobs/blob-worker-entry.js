// As sequencer/intake/signature-worker-entry.js.
import { loadSource } from "../../foundation/load-source.js";

await loadSource("./blob-worker.ts", import.meta.url);
