// A tuning in a process of its own, which a test kills. Arguments: base, folder for the state, kernels.
import { register } from "tsx/esm/api";

register();
await import("./tune-child.ts");
