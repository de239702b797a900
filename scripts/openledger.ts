/** Entry of the command line `openledger`; commands/program.ts has its commands. */
import { runProgram } from "./commands/program.ts";

// Anyone who reads has enough of it, as `head` does: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
await runProgram(process.argv.slice(2));
