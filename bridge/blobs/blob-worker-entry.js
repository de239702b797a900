// As sequencer/intake/signature-worker-entry.js.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./blob-worker.ts", import.meta.url);
