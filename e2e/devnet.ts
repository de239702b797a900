import { runDevnet } from "./devnet/devnet.ts";

process.exitCode = await runDevnet(process.argv.slice(2));
// Handles of libraries that nobody closes (the WASM field workers) must not keep a finished devnet alive.
process.exit();
