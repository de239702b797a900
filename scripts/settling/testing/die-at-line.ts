import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

// Loaded before a process whose crash a test wants at one line of its log (DIE_AT_LINE is a part of that line).
// A test that reads the line and kills comes some milliseconds late, and on a busy machine a whole step.

const line = process.env.DIE_AT_LINE;
const writeSync = fs.writeSync;

if (line !== undefined) {
  fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
    const written = writeSync(...args);
    if (String(args[1]).includes(line)) process.kill(process.pid, "SIGKILL");
    return written;
  }) as typeof writeSync;
  syncBuiltinESMExports();
}
