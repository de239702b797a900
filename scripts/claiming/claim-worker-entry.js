// As models/paid/attribution-worker-entry.js.
import { register } from "tsx/esm/api";

register();
await import("./claim-worker.ts");
