// As models/paid/attribution-worker-entry.js.
import { loadSource } from "../../foundation/load-source.js";

await loadSource("./claim-worker.ts", import.meta.url);
