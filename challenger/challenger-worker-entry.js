// As models/paid/attribution-worker-entry.js.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./claim-worker.ts", import.meta.url);
