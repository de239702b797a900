/** `npm run bench -- <name>`: readable rows, and one JSON object as the last line. */

import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import type { BackendName } from "@openledger/prover/backends";
import { Command, Option } from "commander";
import type { WidthName } from "./bench/adapters/adapter-world.ts";
import type { BenchProveOptions } from "./bench/prove.ts";
import type { BenchMemoryOptions } from "./bench/prove-memory.ts";
import type { BenchTableProveOptions } from "./bench/table/table-prove.ts";

const program = new Command("bench").description("Benchmarks. Each prints one JSON object as its last line.");

program
  .command("ledger")
  .description("constraints, keys, proving, gas and acceptance of the ledger")
  .option("--shapes <list>", "names of batch circuits", "table-1-1-3-2-1-1-1,table-8-6-6-16-6-1-2")
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
    const { keepFigures } = await import("./bench/kept/figures.ts");
    const proven = await benchTableProve(options);
    keepFigures("table-proofs", proven);
    console.log(JSON.stringify({ ...figures, ...proven }));
  });

program
  .command("blobs")
  .description(
    "gas of batches in calldata and in blobs, from receipts on a local node, and the prices at which they are equal",
  )
  .action(async () => {
    const { benchBlobs } = await import("./bench/blobs.ts");
    console.log(JSON.stringify(await benchBlobs()));
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
  .command("retrieval")
  .description(
    "which rows a retrieval model cites and pays, against BM25, on rows whose right answer is known",
  )
  .option("--rows <n>", "of each kind, at most", "10000")
  .option("--queries <n>", "of each kind", "200")
  .option("--columns <list>", "columns of G", "256,1024")
  .option("--quantile <part>", "of random pairs, for the threshold", "0.99")
  .option("--states", "also by a language model's hidden states: a pass for each row")
  .addHelpText("after", "\nExample:\n  npm run bench -- retrieval --rows 2000")
  .action(
    async ({
      states,
      ...texts
    }: Record<"rows" | "queries" | "columns" | "quantile", string> & { states?: boolean }) => {
      const { benchRetrieval } = await import("./bench/retrieval.ts");
      const columns = texts.columns.split(",").map(Number);
      const sizes = {
        rows: Number(texts.rows),
        queries: Number(texts.queries),
        quantile: Number(texts.quantile),
      };
      console.log(JSON.stringify(await benchRetrieval({ ...sizes, columns, states: states === true })));
    },
  );

program
  .command("disputes")
  .description(
    "gas of challenges of a posted model on a local chain, and the time to recompute it; games over a language model's query",
  )
  .option("--rows <n>", "e-mails of the model", "1000")
  .option("--challenges <n>", "random challenges of an honest posting", "1000")
  .option("--tokens <n>", "that the traced query of a language model reads", "64")
  .addOption(
    new Option(
      "--part <names...>",
      "these parts alone; the last line has the others as an earlier run measured them",
    ).choices(["rows", "direct", "settlement", "language", "texts", "trees", "gpt2"]),
  )
  .addHelpText("after", "\nExample:\n  npm run bench -- disputes --rows 200 --challenges 100 --tokens 16")
  .action(async (options: Record<"rows" | "challenges" | "tokens", string> & { part?: string[] }) => {
    const { benchDisputes } = await import("./bench/disputes/bench-disputes.ts");
    const [rows, challenges] = [Number(options.rows), Number(options.challenges)];
    const sizes = { rows, challenges, tokens: Number(options.tokens) };
    console.log(JSON.stringify(await benchDisputes(sizes, options.part)));
  });

program
  .command("settlement")
  .description("constraints, proofs and gas of settlements")
  .option(
    "--sizes <list>",
    "rows-features-earners-payments-draws, or direct-rows-buckets-earners-payments-draws",
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
  .option("--shapes <list>", "names of batch circuits", "table-8-6-6-16-6-1-2,table-48-16-8-96-8-4-2")
  .option("--rounds <n>", "counted witnesses of each", "5")
  .option("--prove <name>", "also prove each: wasm, native, webgpu or snarkjs; makes its development key")
  .option("--no-check", "leave out the check of the witness against every row")
  .addHelpText(
    "after",
    "\nExample:\n  npm run bench -- witness --shapes table-48-16-8-96-8-4-2 --rounds 1 --prove native",
  )
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
  .option(
    "--memory",
    "instead: memory and time of the native back end with keys in memory and with keys in files",
  )
  .option("--domain <list>", "with --memory: domains as powers of two", "18,20")
  .option("--limit-gib <n>", "with --memory: data that the system lets a prover's process have; 0: any", "0")
  .option("--levers", "instead: what windows, endomorphism, shared inversions and scalars' sorts give")
  .addHelpText("after", "\nExample:\n  npm run bench -- prove --sizes 16,18 --rounds 3")
  .action(
    async (options: BenchProveOptions & BenchMemoryOptions & { levers?: boolean; memory?: boolean }) => {
      if (options.memory === true) {
        const { benchMemory } = await import("./bench/prove-memory.ts");
        console.log(JSON.stringify(await benchMemory(options)));
        return;
      }
      if (options.levers === true) {
        const { benchLevers } = await import("./bench/prove-levers.ts");
        console.log(JSON.stringify(await benchLevers()));
        return;
      }
      const { benchProve } = await import("./bench/prove.ts");
      console.log(JSON.stringify(await benchProve(options)));
    },
  );

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
  .command("datanets")
  .description(
    "a Datanet host: rows uploaded and checked, search, near-duplicates, agreement as published, cleaning's scores",
  )
  .option("--rows <n>", "uploaded to a host of its own", "50000")
  .option("--searched <n>", "rows of the index", "1000000")
  .option("--compared <n>", "texts among which near-duplicates are looked for", "20000")
  .addHelpText("after", "\nExample:\n  npm run bench -- datanets --searched 100000")
  .action(async (options: Record<"rows" | "searched" | "compared", string>) => {
    const { benchDatanets } = await import("./bench/datanets.ts");
    const counts = {
      rows: Number(options.rows),
      searched: Number(options.searched),
      compared: Number(options.compared),
    };
    console.log(JSON.stringify(await benchDatanets(counts)));
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
  .command("abuse")
  .description("a sequencer, a server of models and a Datanet host under abuse, seen by their honest clients")
  .option("--seconds <n>", "how long the attack lasts", "40")
  .addHelpText("after", "\nExample:\n  npm run bench -- abuse --seconds 40")
  .action(async (options: { seconds: string }) => {
    const { benchAbuse } = await import("./bench/abuse/abuse.ts");
    console.log(`abuse ${JSON.stringify(await benchAbuse(options))}`);
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
  .command("provers")
  .description(
    "provers on one core each that take jobs from a queue in Redis, against one that asks the sequencer",
  )
  .option("--batches <n>", "that each measurement proves", "12")
  .option("--prover <name>", "wasm or native", "native")
  .addHelpText("after", "\nExample:\n  npm run bench -- provers --batches 6")
  .action(async (options: { batches: string; prover: string }) => {
    const { benchProvers } = await import("./bench/provers.ts");
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
    const result = await benchProvers({
      backend: options.prover as BackendName,
      batchCount: Number(options.batches),
      progress: console.log,
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
    const counts = { steps: Number(options.steps), rows: Number(options.rows) };
    const { benchModels } = await import("./bench/models.ts");
    console.log(JSON.stringify(await benchModels(counts)));
    process.exit(0);
  });

program
  .command("adapters")
  .description(
    "mixed batches of adapters against the same base without any, in turns on one thread; then adapters that are registered on a ledger, asked and paid",
  )
  .option("--rounds <n>", "turns of each; 0 leaves the comparison out", "15")
  .option("--adapters <n>", "distinct adapters on disk", "2000")
  .option("--batch <n>", "requests at once", "32")
  .option("--widths <list>", "of the made base", "d768,d256")
  .option("--kernels <set>", "native, avx512, avx2 or wasm", "native")
  .option("--registered <n>", "models on a rollup of their own; 0 for none", "1000")
  .option("--sample <n>", "of them, so many are asked and paid", "200")
  .option("--prover <name>", "wasm, native, webgpu or snarkjs: proves geneses, and batches", "native")
  .option("--prove-batches", "wait until every batch is proven and on L1")
  .addHelpText("after", "\nExample:\n  npm run bench -- adapters --rounds 5 --adapters 300 --registered 40")
  .action(
    async (
      options: Record<
        "rounds" | "adapters" | "batch" | "widths" | "kernels" | "registered" | "sample" | "prover",
        string
      > & { proveBatches?: boolean },
    ) => {
      const { adapters, batch, rounds } = options;
      const counts = { adapters: Number(adapters), batch: Number(batch), rounds: Number(rounds) };
      const kernels = options.kernels as KernelChoice;
      const { benchAdapters } = await import("./bench/adapters/adapters.ts");
      const measured =
        counts.rounds === 0
          ? {}
          : await benchAdapters({ ...counts, kernels, widths: options.widths.split(",") as WidthName[] });
      const models = Number(options.registered);
      const { benchAdaptersOnLedger } = await import("./bench/adapters/adapters-on-ledger.ts");
      const { registered, ...onLedger } =
        models === 0
          ? { registered: null }
          : await benchAdaptersOnLedger({
              ...{ models, kernels, sample: Number(options.sample) },
              backend: options.prover as BackendName,
              isProven: options.proveBatches === true,
            });
      console.log(JSON.stringify({ adapters: { ...measured, adaptersOnLedger: registered }, onLedger }));
      process.exit(0);
    },
  );

program
  .command("serving")
  .description("many clients that stream from a server of adapters: lost requests, first tokens, memory")
  .option("--seconds <n>", "how long they ask", "600")
  .option("--clients <n>", "at once", "200")
  .option("--adapters <n>", "distinct adapters on disk", "1000")
  .option("--kernels <set>", "native, avx512, avx2 or wasm", "native")
  .addHelpText("after", "\nExample:\n  npm run bench -- serving --seconds 120")
  .action(async (options: Record<"seconds" | "clients" | "adapters" | "kernels", string>) => {
    const { benchServing } = await import("./bench/adapters/serving.ts");
    const { adapters, clients, kernels, seconds } = options;
    const counts = { seconds: Number(seconds), clients: Number(clients), adapters: Number(adapters) };
    const { problems, serving } = await benchServing({ ...counts, kernels });
    for (const problem of problems) console.log(problem);
    console.log(JSON.stringify({ serving }));
    process.exit(problems.length === 0 ? 0 : 1);
  });

program
  .command("factory")
  .description("from the choice of a Datanet to a model that is ready on the ledger, in a ModelFactory")
  .option("--rows <n>", "of the Datanet", "256")
  .addHelpText("after", "\nExample:\n  npm run bench -- factory --rows 64")
  .action(async (options: { rows: string }) => {
    const { benchFactory } = await import("./bench/factory/from-choice.ts");
    const factory = await benchFactory(Number(options.rows), (line) => console.log(line));
    console.log(JSON.stringify({ factory }));
    process.exit(0);
  });

program
  .command("text-attribution")
  .description("scores of texts against models retrained on halves of them; retrainings are kept in .cache")
  .option("--halves <n>", "of the report", "100")
  .option("--again <n>", "of them in a second order, too, for the ceiling", "100")
  .option("--chosen-on <n>", "other halves, on which methods are chosen", "48")
  .option("--threads <n>", "processes that retrain", "2")
  .option("--quick", "small sizes, for a look")
  .option("--only-order", "only: how well rows are found whose words stand in no order; nothing is tuned")
  .addHelpText("after", "\nExample:\n  npm run bench -- text-attribution --threads 1")
  .action(
    async (
      options: Record<"again" | "halves" | "chosenOn" | "threads", string> & {
        quick?: boolean;
        onlyOrder?: boolean;
      },
    ) => {
      if (options.onlyOrder === true) {
        const { benchWordOrder } = await import("./bench/texts/word-order.ts");
        console.log(JSON.stringify(await benchWordOrder(options.quick === true ? 64 : 256)));
        return;
      }
      const { benchTextAttribution } = await import("./bench/text-attribution.ts");
      const quick = options.quick === true;
      const count = (text: string, atMost: number) => (quick ? Math.min(atMost, Number(text)) : Number(text));
      const result = await benchTextAttribution({
        halves: count(options.halves, 6),
        again: count(options.again, 6),
        chosenOn: count(options.chosenOn, 4),
        threads: Number(options.threads),
        quick,
      });
      console.log(JSON.stringify(result));
      process.exit(0);
    },
  );

program
  .command("costs")
  .description(
    "what a newcomer waits for, from a fresh clone with an empty cache: the tests, npm start, a command",
  )
  .addOption(
    new Option("--only <parts>", "parts, with commas between them; the others are null")
      .argParser((text) => text.split(","))
      .default(["help", "start", "test", "test-all"], "all: help,start,test,test-all"),
  )
  .addHelpText("after", "\nExample:\n  npm run bench -- costs --only help,start")
  .action(async ({ only }: { only: string[] }) => {
    const { measureCosts } = await import("./bench/costs.ts");
    console.log(`costs ${JSON.stringify(await measureCosts(only, console.log))}`);
  });

await program.parseAsync();
