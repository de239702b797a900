/** `npm run bench -- <name>`: readable rows, and one JSON object as the last line. */
import { Command } from "commander";
import type { BackendName } from "../prover/backends.ts";
import type { BenchProveOptions } from "./bench/prove.ts";

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

program
  .command("attribution")
  .description("quality of attribution methods on MNIST, and what gaming them gains")
  .option("--quick", "small sizes, for a look")
  .addHelpText("after", "\nExample:\n  npm run bench -- attribution --quick")
  .action(async (options: { quick?: boolean }) => {
    const { benchAttribution } = await import("./bench/attribution.ts");
    console.log(JSON.stringify(await benchAttribution({ quick: options.quick === true })));
  });

program
  .command("settlement")
  .description("constraints, proofs and gas of settlements")
  .option(
    "--sizes <list>",
    "rows-features-slots-payments-draws",
    "64-32-16-16-2,1024-256-64-32-4,1024-256-64-1000-4,8192-1024-256-32-1",
  )
  .option("--prover <name>", "wasm, native, webgpu or snarkjs", "wasm")
  .option("--no-gas", "leave out gas")
  .addHelpText("after", "\nExample:\n  npm run bench -- settlement --sizes 64-32-16-16-2")
  .action(async (options: { sizes: string; prover: string; gas: boolean }) => {
    const { benchSettlement } = await import("./bench/settlement.ts");
    console.log(JSON.stringify(await benchSettlement(options)));
  });

program
  .command("witness")
  .description(
    "batch circuits put together from parts: their witnesses against circom's, and proofs of any size",
  )
  .option("--shapes <list>", "batch shapes, narrow-wide", "8-4,56-8")
  .option("--rounds <n>", "counted witnesses of each", "5")
  .option("--prove <name>", "also prove each: wasm, native, webgpu or snarkjs; makes its development key")
  .option("--no-check", "leave out the check of the witness against every row")
  .addHelpText("after", "\nExample:\n  npm run bench -- witness --shapes 248-8 --rounds 1 --prove native")
  .action(async (options: { shapes: string; rounds: string; prove?: string; check: boolean }) => {
    const { benchWitness } = await import("./bench/witness.ts");
    console.log(JSON.stringify(await benchWitness(options)));
  });

program
  .command("prove")
  .description("our provers against snarkjs and, if given, rapidsnark: same key, same witness, in turns")
  .option("--sizes <list>", "domains as powers of two", "16,18,20")
  .option("--rounds <n>", "counted proofs of each", "5")
  .option("--backends <list>", "which to compare", "snarkjs,wasm,native")
  .option("--rapidsnark <path>", "a rapidsnark binary to add")
  .option("--zkey <file>", "another key, with --wtns")
  .option("--wtns <file>", "its witness")
  .option("--cached-keys", "take keys from the cache instead of making and timing them")
  .option("--levers", "instead: what windows, endomorphism, shared inversions and scalars' sorts give")
  .addHelpText("after", "\nExample:\n  npm run bench -- prove --sizes 16,18 --rounds 3")
  .action(async (options: BenchProveOptions & { levers?: boolean }) => {
    if (options.levers === true) {
      const { benchLevers } = await import("./bench/prove-levers.ts");
      console.log(JSON.stringify(await benchLevers()));
      return;
    }
    const { benchProve } = await import("./bench/prove.ts");
    console.log(JSON.stringify(await benchProve(options)));
  });

program
  .command("sequencer")
  .description(
    "operations accepted durably, soft confirmation under a fixed rate, bad signatures; prover idle",
  )
  .option("--operations <n>", "of the closed loop", "8192")
  .option("--users <n>", "leaves that send", "512")
  .option("--seconds <n>", "of each open loop", "10")
  .addHelpText("after", "\nExample:\n  npm run bench -- sequencer --operations 2048")
  .action(async (options: { operations: string; users: string; seconds: string }) => {
    const { benchSequencer } = await import("./bench/sequencer.ts");
    const { operations, seconds, users } = options;
    const counts = { operations: Number(operations), users: Number(users), seconds: Number(seconds) };
    console.log(JSON.stringify(await benchSequencer(counts)));
  });

program
  .command("restart")
  .description("a sequencer's start on a large ledger after a kill, and a restore from a snapshot of it")
  .option(
    "--sizes <list>",
    "leaves, each with as many operations; made at some 1,000 a second",
    "20000,200000",
  )
  .option("--rounds <n>", "counted starts of each", "5")
  .option("--check <when>", "SEQUENCER_STORE_CHECK: first or beside", "first")
  .option("--keep <folder>", "where the ledgers are kept, for the next time")
  .addHelpText("after", "\nExample:\n  npm run bench -- restart --sizes 20000")
  .action(async (options: { sizes: string; rounds: string; check: string; keep?: string }) => {
    const { benchRestart } = await import("./bench/restart.ts");
    console.log(JSON.stringify(await benchRestart(options)));
  });

program
  .command("pools")
  .description("the sequencer's signature pool against piscina, in turns, with one thread each")
  .addHelpText("after", "\nExample:\n  npm run bench -- pools")
  .action(async () => {
    const { benchPools } = await import("./bench/pools.ts");
    console.log(JSON.stringify(await benchPools()));
  });

program
  .command("flood")
  .description("what it costs to keep the L1 queue full for a month, and what it costs the operator")
  .option("--capacity <entries>", "entries that fit into the queue", "1024")
  .option("--gas-price-gwei <n>", "for the sums in ETH", "1")
  .addHelpText("after", "\nExample:\n  npm run bench -- flood --gas-price-gwei 5")
  .action(async (options: { capacity: string; gasPriceGwei: string }) => {
    const { benchFlood } = await import("./bench/flood.ts");
    console.log(JSON.stringify(await benchFlood(options)));
  });

program
  .command("grief")
  .description("attacks of strangers on publishing, against real processes and real proofs")
  .option("--seconds <n>", "of each measurement at least, with an attacker and without", "30")
  .option("--rounds <n>", "of each attack", "2")
  .option("--prover <name>", "wasm, native, webgpu or snarkjs", "native")
  .option("--slots <n>", "operations in a batch, 2 or 8", "8")
  .option("--keep <folder>", "where logs and data of all processes stay")
  .addHelpText("after", "\nExample:\n  npm run bench -- grief --rounds 1 --prover wasm")
  .action(async (options: Record<"seconds" | "rounds" | "prover" | "slots", string> & { keep?: string }) => {
    const { benchGrief } = await import("./bench/grief.ts");
    // The processes that it starts end with it, but not where a signal does.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
    const startedAtMs = performance.now();
    const progress = (text: string) =>
      console.log(`${String(Math.round((performance.now() - startedAtMs) / 1_000)).padStart(5)} s  ${text}`);
    const result = await benchGrief({
      backend: options.prover as BackendName,
      seconds: Number(options.seconds),
      rounds: Number(options.rounds),
      slots: Number(options.slots),
      keepIn: options.keep ?? null,
      progress,
    });
    console.log(JSON.stringify(result));
    process.exit(0);
  });

program
  .command("web")
  .description("the pages in a browser: weight, first visit, heap over live batches, axe-core")
  .option("--minutes <n>", "over which the heap is watched", "4")
  .option("--rounds <n>", "first visits", "5")
  .addHelpText("after", "\nExample:\n  npm run bench -- web --minutes 2")
  .action(async (options: Record<"minutes" | "rounds", string>) => {
    const { benchWeb } = await import("./bench/web.ts");
    // The processes that it starts end with it, but not where a signal does.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
    const startedAtMs = performance.now();
    const progress = (text: string) =>
      console.log(`${String(Math.round((performance.now() - startedAtMs) / 1_000)).padStart(5)} s  ${text}`);
    const counts = { minutes: Number(options.minutes), rounds: Number(options.rounds) };
    console.log(JSON.stringify(await benchWeb({ ...counts, progress })));
    process.exit(0);
  });

program
  .command("spans")
  .description("suffix arrays over the text that npm has installed, spans of answers, and their evidence")
  .option("--megabytes <n>", "text at most", "64")
  .option("--rounds <n>", "sorts by the native engine", "3")
  .addHelpText("after", "\nExample:\n  npm run bench -- spans --megabytes 10")
  .action(async (options: { megabytes: string; rounds: string }) => {
    const { benchSpans } = await import("./bench/spans.ts");
    const { megabytes, rounds } = options;
    console.log(JSON.stringify(await benchSpans({ megabytes: Number(megabytes), rounds: Number(rounds) })));
  });

program
  .command("models")
  .description("language models: tuning, rows' gradients and queries natively, in WebAssembly and in jax-js")
  .option("--steps <n>", "tuning steps of each, 8 rows of 128 tokens a step", "8")
  .option("--rows <n>", "rows whose features are made", "64")
  .addHelpText("after", "\nExample:\n  npm run bench -- models --steps 4")
  .action(async (options: { steps: string; rows: string }) => {
    const { benchModels } = await import("./bench/models.ts");
    console.log(
      JSON.stringify(await benchModels({ steps: Number(options.steps), rows: Number(options.rows) })),
    );
    process.exit(0);
  });

await program.parseAsync();
