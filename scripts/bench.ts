/** `npm run bench -- <name>`: readable rows, and one JSON object as the last line. */
import { Command } from "commander";

const program = new Command("bench").description("Benchmarks. Each prints one JSON object as its last line.");

program
  .command("ledger")
  .description("constraints, keys, proving, gas and acceptance of the ledger")
  .option("--shapes <list>", "batch shapes, narrow-wide", "8-4,56-8")
  .option("--no-acceptance", "leave out the sequencer's acceptance rate")
  .addHelpText("after", "\nExample:\n  npm run bench -- ledger --shapes 8-4")
  .action(async (options: { shapes: string; acceptance: boolean }) => {
    const { benchLedger } = await import("./bench/ledger.ts");
    console.log(JSON.stringify(await benchLedger(options)));
  });

await program.parseAsync();
