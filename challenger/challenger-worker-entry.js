// As models/paid/attribution-worker-entry.js.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./challenger-worker.ts", import.meta.url);
