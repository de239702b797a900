/** Entry of `npm start`: runs the devnet (devnet/devnet.ts) and exits with its status. */
import { runDevnet } from "./devnet/devnet.ts";

process.exitCode = await runDevnet(process.argv.slice(2));
// Handles of libraries that nobody closes (the WASM field workers) must not keep a finished devnet alive.
process.exit();
