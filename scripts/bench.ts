/**
 * Entry of the benchmarks, `npm run bench -- <name>`: prints readable rows, and as the last line the name and one JSON object.
 */

import { Command, Option } from "commander";
import type { LedgerBenchOptions } from "./bench/ledger/prove-batches.ts";
import type { BenchProveOptions } from "./bench/prove.ts";
import type { BenchSettlementOptions } from "./bench/settlement.ts";

interface SequencerOptions extends Record<"operations" | "users" | "seconds", number> {
  readonly lists?: true;
  readonly host?: true;
  readonly against?: string;
  readonly accepted: number;
  readonly rounds: number;
  readonly rows: number;
  readonly searches: number;
}

interface ModelsOptions extends Record<"rounds" | "prompt" | "tokens" | "tuned", number> {
  readonly llama: string;
  readonly instructions: "native" | "avx2";
  readonly shapes: string;
}

/** Prints the last line, and ends although threads of models or provers may still run. */
function end(name: string, figures: object): never {
  console.log(`${name} ${JSON.stringify(figures)}`);
  process.exit(0);
}

const program = new Command("bench").description(
  "Benchmarks. The last line of each is its name and one JSON object.",
);

program
  .command("ledger")
  .description("constraints per operation, and batches proven a second, witness included")
  .option(
    "--domain <list>",
    "log2 of domains that a proven batch fills, separated by commas, the best of which counts; 0: counts alone",
    "20",
  )
  .option("--traffic <name>", "of these proofs: payments, zipf or uniform", "payments")
  .option("--rounds <count>", "proofs of each that count", "3")
  .option("--backend <name>", "native or wasm", "native")
  .option("--workers <list>", "processes that prove at once", "1,2")
  .option(
    "--queue",
    "also by one and two workers of the queue, of half the machine's threads each; one is killed",
  )
  .addHelpText("after", "\nExample:\n  npm run bench -- ledger --domain 16 --rounds 1 --workers 1")
  .action(async (options: LedgerBenchOptions) => {
    const { countConstraints } = await import("./bench/ledger/constraints.ts");
    const { perOperation, ...counts } = countConstraints();
    const figures = { constraintsPerPayment: perOperation.payments![1024]!, perOperation, ...counts };
    if (options.domain === "0") end("ledger", figures);
    const { proveBatches } = await import("./bench/ledger/prove-batches.ts");
    const byDomain: Awaited<ReturnType<typeof proveBatches>>[] = [];
    for (const domain of options.domain.split(",")) byDomain.push(await proveBatches({ ...options, domain }));
    const best = byDomain.reduce((a, b) => (b.provenPerSecond > a.provenPerSecond ? b : a));
    const { provenPerSecond, ...proven } = best;
    const perDomain = Object.fromEntries(byDomain.map((one) => [one.domain, one.provenPerSecond]));
    end("ledger", { provenPerSecond, ...figures, perDomain, proven });
  });

program
  .command("attribution")
  .description("how true scores are, by training again, and what attackers earn: classifiers and texts")
  .option("--quick", "small sizes, for a look")
  .option(
    "--only <part>",
    "classifiers, or one of brown, emails, digits, iris, gaming, gaming-brown, …; small, small-messages, …: small sets beside plain baselines; texts; scores: how fast rows are scored",
  )
  .option("--rows <n>", "texts that the language model is tuned on", Number, 256)
  .option("--corpus <folder>", "of texts; default: those that were held out from the base")
  .option(
    "--halves <n>",
    "halves of the texts that the model is tuned on again, and sets that a fixed run leaves out; 0: gaming alone",
    Number,
    100,
  )
  .option("--again <n>", "of them in a second order, too, for the ceiling", Number, 20)
  .option("--left-out <n>", "texts left out singly, and as many groups of 16, instead of halves", Number, 0)
  .addOption(
    new Option(
      "--protocol <name>",
      "of texts: halves in new orders alone, or beside them one fixed run in which rows weigh 0, and its metagradients",
    )
      .choices(["new-orders", "fixed-run"])
      .default("new-orders"),
  )
  .option("--shares <list>", "of the rows, that weigh 0 in the fixed run", "0.01,0.1,0.5")
  .option("--queries <n>", "texts whose loss is predicted", Number, 40)
  .option("--threads <n>", "processes that retrain", Number, 2)
  .option("--weights <numbers>", "of the base: float32 or int8", "float32")
  .addHelpText("after", "\nExample:\n  npm run bench -- attribution --quick")
  .action(
    async ({ corpus = null, leftOut: leftOutCount, only, protocol, quick, rows: rowCount, ...options }) => {
      const figures: Record<string, unknown> = {};
      const withTexts = only === undefined || only === "texts";
      if (only !== "texts") {
        const { benchAttribution, classifierParts } = await import("./bench/attribution.ts");
        const parts = classifierParts(only);
        if (parts === null) return program.error(`no part is called ${only}`);
        Object.assign(figures, await benchAttribution({ quick: quick === true, parts }));
      }
      if (withTexts && leftOutCount > 0) {
        const { leftOut } = await import("./bench/texts/left-out.ts");
        figures.texts = {
          leftOut: await leftOut({ corpus, rowCount, weights: options.weights }, leftOutCount, console.log),
        };
      } else if (withTexts && protocol === "fixed-run") {
        const { compareProtocols } = await import("./bench/texts/protocols.ts");
        const shares = String(options.shares).split(",").map(Number);
        if (!shares.every((share) => share > 0 && share < 1))
          return program.error("shares are between 0 and 1");
        const { halves, queries: queryCount, threads, weights } = options;
        if (weights !== "float32") return program.error("metagradients are of a base of floats");
        const setting = { corpus, weights, queryCount, columnCount: 256 };
        const sizes = quick === true ? { rowCount: 64, sets: 2 } : { rowCount, sets: halves };
        figures.texts = await compareProtocols({ ...setting, ...sizes, shares, threads }, console.log);
      } else if (withTexts) {
        const { benchTextAttribution } = await import("./bench/text-attribution.ts");
        const sizes = quick === true ? { rowCount: 64, halves: 2, again: 1 } : { rowCount };
        figures.texts = await benchTextAttribution({
          corpus,
          queryCount: options.queries,
          ...options,
          ...sizes,
        });
      }
      end("attribution", figures);
    },
  );

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
  .option("--rounds <n>", "epochs of two and of fifteen labels, in turns; 0: without them", Number, 5)
  .option("--labels", "only these epochs")
  .addHelpText("after", "\nExample:\n  npm run bench -- settlement --sizes 64-32-16-16-2")
  .action(async (options: BenchSettlementOptions) => {
    const { benchSettlement } = await import("./bench/settlement.ts");
    end("settlement", await benchSettlement(options));
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
  .option(
    "--count <log2>",
    "count a card's products, additions and bytes at one size instead, without a card",
  )
  .option("--before <clone>", "with --count: a clone of build 7b597cf0, to count likewise")
  .addHelpText("after", "\nExample:\n  npm run bench -- prove --sizes 16,18 --rounds 3")
  .action(async (options: BenchProveOptions) => {
    if (options.count !== undefined) {
      const { countCardWork } = await import("./bench/card-work.ts");
      end("prove", await countCardWork(Number(options.count), options.before));
      return;
    }
    const { benchProve } = await import("./bench/prove.ts");
    end("prove", await benchProve(options));
  });

program
  .command("sequencer")
  .description(
    "operations accepted durably, soft confirmation under a fixed rate, bad signatures; prover idle",
  )
  .option("--operations <n>", "of the closed loop", Number, 8_192)
  .option("--users <n>", "leaves that send", Number, 512)
  .option("--seconds <n>", "of each open loop", Number, 10)
  .option("--lists", "instead: acknowledgements while one address asks for long lists")
  .option(
    "--host",
    "instead: a Datanet host; rows and labels accepted durably, and start, search and queue among many rows",
  )
  .option(
    "--against <directory>",
    "of --host: checkout of an older build, with its packages, in turns with it",
  )
  .option("--accepted <n>", "of --host: rows that are uploaded, with two labels each", Number, 10_000)
  .option("--rounds <n>", "of --host: turns of each build; 0: without them", Number, 5)
  .option("--rows <n>", "of --host: rows of the large Datanet; 0: without it", Number, 1_000_000)
  .option("--searches <n>", "of --host: searches of each kind", Number, 100)
  .addHelpText("after", "\nExample:\n  npm run bench -- sequencer --operations 2048")
  .action(async (options: SequencerOptions) => {
    if (options.lists) {
      const { DEFAULT_LIST_LOAD, measureLists } = await import("@openledger/sequencer/testing/list-load");
      console.log(JSON.stringify(await measureLists(DEFAULT_LIST_LOAD, console.log)));
      return;
    }
    if (options.host) {
      const { benchHost } = await import("./bench/host/host.ts");
      end("sequencer", { host: await benchHost({ ...options, acceptedRows: options.accepted }) });
    }
    const { benchSequencer } = await import("./bench/sequencer.ts");
    end("sequencer", await benchSequencer(options));
  });

program
  .command("models")
  .description(
    "answers of 40 questions by the default settings; published shapes with made weights: int8 against llama.cpp's Q8_0, in turns",
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
  .addOption(
    new Option("--instructions <name>", "what both programs are held to")
      .choices(["native", "avx2"])
      .default("native"),
  )
  .action(async ({ llama, prompt: promptTokens, shapes, ...counts }: ModelsOptions) => {
    const { benchModels, SHAPES } = await import("./bench/models/models.ts");
    const named = { shapes: shapes.split(","), llama: llama === "none" ? null : llama };
    const { benchAnswers } = await import("./bench/models/answers.ts");
    const answers = await benchAnswers(console.log);
    const result = await benchModels({ ...named, ...counts, promptTokens, log: console.log });
    const { benchGateway } = await import("./bench/models/gateway.ts");
    const config = SHAPES["SmolLM2-135M"];
    const gateway = await benchGateway({ config, rounds: counts.rounds, promptTokens, log: console.log });
    end("models", { ...result, answers, gateway });
  });

await program.parseAsync();
