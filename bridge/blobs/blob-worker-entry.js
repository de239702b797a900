// As sequencer/intake/signature-worker-entry.js.
import { register } from "tsx/esm/api";

register();
await import("./blob-worker.ts");
