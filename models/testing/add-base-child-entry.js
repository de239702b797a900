// A base that is added in a process of its own, which a test kills. Arguments: place, folder of bases, hub.
import { loadSource } from "@openledger/foundation/load-source";

await loadSource("./add-base-child.ts", import.meta.url);
