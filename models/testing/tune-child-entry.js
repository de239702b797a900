// A tuning in a process of its own, which a test kills. Arguments: base, folder for the state, kernels.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./tune-child.ts", import.meta.url);
