/** `npm run bench -- <name>`: readable rows, and one JSON object as the last line. */

import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import type { BackendName } from "@openledger/prover/backends";
import { Command } from "commander";
import type { WidthName } from "./bench/adapters/adapter-world.ts";
import type { BenchProveOptions } from "./bench/prove.ts";
import type { BenchTableProveOptions } from "./bench/table/table-prove.ts";

interface GriefOptions extends Record<"seconds" | "rounds" | "slots", number> {
  readonly prover: BackendName;
  readonly keep?: string;
}

interface AdaptersOptions extends Record<"rounds" | "adapters" | "batch" | "registered" | "sample", number> {
  readonly kernels: KernelChoice;
  readonly prover: BackendName;
  readonly proveBatches?: boolean;
  readonly widths: string;
}

interface ModelsOptions extends Record<"rounds" | "prompt" | "tokens" | "tuned", number> {
  readonly llama: string;
  readonly shapes: string;
}

/** Prints the last line, and ends although threads of models or provers still run. */
function end(figures: object): never {
  console.log(JSON.stringify(figures));
  process.exit(0);
}

/** Lines with the seconds since now. The processes that a bench starts end with it, and on a signal, too. */
function progressOfProcesses(): (text: string) => void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const startedAtMs = performance.now();
  return (text) =>
    console.log(`${String(Math.round((performance.now() - startedAtMs) / 1_000)).padStart(5)} s  ${text}`);
}

const program = new Command("bench").description("Benchmarks. Each prints one JSON object as its last line.");

program
  .command("ledger")
  .description("constraints, keys, proving, gas and acceptance of the ledger")
  .option("--shapes <list>", "names of batch circuits", "table-1-1-3-2-1-1-1,table-10-6-5-20-6-1-2")
  .option("--no-acceptance", "leave out the sequencer's acceptance rate")
  .addHelpText("after", "\nExample:\n  npm run bench -- ledger --shapes table-1-1-3-2-1-1-1")
  .action(async (options: { shapes: string; acceptance: boolean }) => {
    const { benchLedger } = await import("./bench/ledger.ts");
    console.log(JSON.stringify(await benchLedger(options)));
  });

program
  .command("table")
  .description(
    "constraints per operation for simulated traffic; random batches against the circuit; proofs, gas",
  )
  .option(
    "--at-once <count>",
    "random batches and false claims that replay and the equation are held equal on",
    "0",
  )
  .option("--gas", "gas per transfer and per payment, from receipts")
  .option("--batches <count>", "random batches that the circuit and TypeScript are held equal on", "0")
  .option("--domain <log2>", "prove batches that fill this domain; 0: none", "0")
  .option("--traffic <name>", "of these proofs: payments, zipf or uniform", "payments")
  .option("--rounds <count>", "proofs of each that count", "3")
  .option("--backend <name>", "native or wasm", "native")
  .option("--workers <list>", "processes that prove at once", "1,2,4")
  .addHelpText("after", "\nExample:\n  npm run bench -- table --domain 20")
  .action(async (options: { batches: string; atOnce: string; gas?: boolean } & BenchTableProveOptions) => {
    const table = await import("./bench/table.ts");
    const counts = table.benchTableCounts();
    const equality = await table.benchTableEquality(Number(options.batches));
    const atOnce = await table.benchAtOnce(Number(options.atOnce));
    const gasPerOperation = options.gas === true ? await table.benchTableGas() : null;
    const figures = { ...counts, equality, atOnce, gasPerOperation };
    if (options.domain === "0") {
      console.log(JSON.stringify(figures));
      return;
    }
    const { benchTableProve } = await import("./bench/table/table-prove.ts");
    console.log(JSON.stringify({ ...figures, ...(await benchTableProve(options)) }));
  });

program
  .command("attribution")
  .description("how good direct models' integers are on digits and e-mails, by training again")
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
    "rows-features-payees-payments-draws, or direct-rows-buckets-payees-payments-draws",
    "64-32-16-16-2,1024-256-64-32-4,1024-256-64-1000-4,8192-1024-256-32-1",
  )
  .option("--prover <name>", "wasm, native, webgpu or snarkjs", "wasm")
  .option("--no-gas", "leave out gas")
  .option("--scale <list>", "rows-features-payees-payments-draws to settle on L1 by the queue's workers")
  .addHelpText("after", "\nExample:\n  npm run bench -- settlement --sizes 64-32-16-16-2")
  .action(async (options: { sizes: string; prover: string; gas: boolean; scale?: string }) => {
    const { benchSettlement } = await import("./bench/settlement.ts");
    console.log(JSON.stringify(await benchSettlement(options)));
  });

program
  .command("prove")
  .description(
    "our provers against snarkjs and, if given, rapidsnark and gnark: same key, same witness, in turns",
  )
  .option("--sizes <list>", "domains as powers of two", "16,18,20")
  .option("--rounds <n>", "counted proofs of each", "5")
  .option("--backends <list>", "which to compare", "snarkjs,wasm,native")
  .option("--rapidsnark <path>", "a rapidsnark binary to add")
  .option("--gnark <path>", "a prover of gnark-crypto's kernels to add, with rapidsnark's command line")
  .option("--cached-keys", "take keys from the cache instead of making and timing them")
  .addHelpText("after", "\nExample:\n  npm run bench -- prove --sizes 16,18 --rounds 3")
  .action(async (options: BenchProveOptions) => {
    const { benchProve } = await import("./bench/prove.ts");
    console.log(JSON.stringify(await benchProve(options)));
  });

program
  .command("sequencer")
  .description(
    "operations accepted durably, soft confirmation under a fixed rate, bad signatures; prover idle",
  )
  .option("--operations <n>", "of the closed loop", Number, 8_192)
  .option("--users <n>", "leaves that send", Number, 512)
  .option("--seconds <n>", "of each open loop", Number, 10)
  .addHelpText("after", "\nExample:\n  npm run bench -- sequencer --operations 2048")
  .action(async (options: Record<"operations" | "users" | "seconds", number>) => {
    const { benchSequencer } = await import("./bench/sequencer.ts");
    console.log(JSON.stringify(await benchSequencer(options)));
  });

program
  .command("datanets")
  .description(
    "a Datanet host: rows uploaded and checked, search, near-duplicates, agreement as published, cleaning's scores",
  )
  .option("--rows <n>", "uploaded to a host of its own", Number, 50_000)
  .option("--searched <n>", "rows of the index", Number, 1_000_000)
  .option("--compared <n>", "texts among which near-duplicates are looked for", Number, 20_000)
  .addHelpText("after", "\nExample:\n  npm run bench -- datanets --searched 100000")
  .action(async (options: Record<"rows" | "searched" | "compared", number>) => {
    const { benchDatanets } = await import("./bench/datanets.ts");
    console.log(JSON.stringify(await benchDatanets(options)));
  });

program
  .command("grief")
  .description("attacks of strangers on publishing, against real processes and real proofs")
  .option("--seconds <n>", "of each measurement at least, with an attacker and without", Number, 30)
  .option("--rounds <n>", "of each attack", Number, 2)
  .option("--prover <name>", "wasm, native, webgpu or snarkjs", "native")
  .option("--slots <n>", "operations in a batch, 2 or 8", Number, 8)
  .option("--keep <folder>", "where logs and data of all processes stay")
  .addHelpText("after", "\nExample:\n  npm run bench -- grief --rounds 1 --prover wasm")
  .action(async (options: GriefOptions) => {
    const { benchGrief } = await import("./bench/grief/grief.ts");
    const { keep: keepIn = null, prover: backend, rounds, seconds, slots } = options;
    end(await benchGrief({ backend, keepIn, rounds, seconds, slots, progress: progressOfProcesses() }));
  });

program
  .command("provers")
  .description(
    "provers on one core each that take jobs from a queue in Redis, against one that asks the sequencer",
  )
  .option("--batches <n>", "that each measurement proves", Number, 12)
  .option("--prover <name>", "wasm or native", "native")
  .addHelpText("after", "\nExample:\n  npm run bench -- provers --batches 6")
  .action(async ({ batches: batchCount, prover: backend }: { batches: number; prover: BackendName }) => {
    const { benchProvers } = await import("./bench/provers.ts");
    end(await benchProvers({ backend, batchCount, progress: progressOfProcesses() }));
  });

program
  .command("adapters")
  .description(
    "mixed batches of adapters against the same base without any, in turns on one thread; then adapters that are registered on a ledger, asked and paid",
  )
  .option("--rounds <n>", "turns of each; 0 leaves the comparison out", Number, 15)
  .option("--adapters <n>", "distinct adapters on disk", Number, 2_000)
  .option("--batch <n>", "requests at once", Number, 32)
  .option("--widths <list>", "of the made base", "d768,d256")
  .option("--kernels <set>", "native, avx512-vnni, avx512, avx2 or wasm", "native")
  .option("--registered <n>", "models on a rollup of their own; 0 for none", Number, 1_000)
  .option("--sample <n>", "of them, so many are asked and paid", Number, 200)
  .option("--prover <name>", "wasm, native, webgpu or snarkjs: proves activations, and batches", "native")
  .option("--prove-batches", "wait until every batch is proven and on L1")
  .addHelpText("after", "\nExample:\n  npm run bench -- adapters --rounds 5 --adapters 300 --registered 40")
  .action(async (options: AdaptersOptions) => {
    const { kernels, prover, proveBatches, registered: models, rounds, sample, widths } = options;
    const { benchAdapters } = await import("./bench/adapters/adapters.ts");
    const named = { ...options, widths: widths.split(",") as WidthName[] };
    const measured = rounds === 0 ? {} : await benchAdapters(named);
    const { benchAdaptersOnLedger } = await import("./bench/adapters/adapters-on-ledger.ts");
    const ledger = { models, kernels, sample, backend: prover, isProven: proveBatches === true };
    const { registered, ...onLedger } =
      models === 0 ? { registered: null } : await benchAdaptersOnLedger(ledger);
    end({ adapters: { ...measured, adaptersOnLedger: registered }, onLedger });
  });

program
  .command("models")
  .description(
    "published shapes with made weights: int8 against llama.cpp's Q8_0, in turns, on as many threads",
  )
  .option("--shapes <list>", "SmolLM2-135M, Qwen2.5-0.5B, Llama-3.2-1B", "SmolLM2-135M")
  .option("--rounds <n>", "turns of each", Number, 7)
  .option("--prompt <n>", "tokens that are read", Number, 256)
  .option("--tokens <n>", "tokens that are written", Number, 64)
  .option(
    "--tuned <n>",
    "steps of a tuning by int8 and by floats, in turns, of the smallest shape",
    Number,
    3,
  )
  .option(
    "--llama <folder>",
    "where node-llama-cpp is, or is installed; none: without it",
    ".cache/llama-cpp",
  )
  .action(async ({ llama, prompt: promptTokens, shapes, ...counts }: ModelsOptions) => {
    const { benchModels } = await import("./bench/models/models.ts");
    const named = { shapes: shapes.split(","), llama: llama === "none" ? null : llama };
    const result = await benchModels({ ...named, ...counts, promptTokens, log: console.log });
    console.log(`models ${JSON.stringify(result)}`);
    process.exit(0);
  });

program
  .command("text-attribution")
  .description("scores of texts against models retrained on halves of them; retrainings are kept in .cache")
  .option("--rows <n>", "that the model is tuned on", Number, 256)
  .option("--corpus <folder>", "of texts; default: those that were held out from the base")
  .option("--halves <n>", "of the report; 0: only what attackers earn", Number, 100)
  .option("--again <n>", "of them in a second order, too, for the ceiling", Number, 20)
  .option(
    "--left-out <n>",
    "rows left out singly, and as many groups of 16, instead of the report",
    Number,
    0,
  )
  .option("--threads <n>", "processes that retrain", Number, 2)
  .option("--weights <numbers>", "of the base: float32 or int8", "float32")
  .action(async ({ corpus = null, leftOut: leftOutCount, rows: rowCount, ...options }) => {
    if (leftOutCount > 0) {
      const { leftOut } = await import("./bench/texts/left-out.ts");
      const given = { corpus, rowCount, weights: options.weights };
      end({ leftOut: await leftOut(given, leftOutCount, console.log) });
    }
    const { benchTextAttribution } = await import("./bench/text-attribution.ts");
    end(await benchTextAttribution({ corpus, rowCount, queryCount: 40, ...options }));
  });

await program.parseAsync();
