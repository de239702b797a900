// As sequencer/intake/signature-worker-entry.js.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./check-worker.ts", import.meta.url);
