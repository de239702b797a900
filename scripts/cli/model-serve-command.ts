import { inspect } from "node:util";
import type { Command } from "commander";
import { clientError } from "../../client/client-errors.ts";
import { openReader } from "./context.ts";
import { parseId } from "./parse-id.ts";
import { onRun, withExample } from "./run-command.ts";

interface ServeOptions {
  model: string;
  port: string;
  host: string;
  data: string;
  answerTtl: string;
}

export function addModelServeCommand(parent: Command): void {
  const command = parent
    .command("serve <folder>")
    .description("answer questions with a published model, and publish what opens its receipts")
    .requiredOption("--model <id>", "the model's leaf")
    .option("--port <number>", "where to listen", "8797")
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--data <folder>", "where answers are kept: without them no receipt can be opened", "answers")
    .option("--answer-ttl <seconds>", "how long an answer may stay unpaid", "600");
  withExample(command, "model serve spam-model --model 15 --port 8797 --data answers");
  onRun<ServeOptions>(command, async ({ options, args, output }) => {
    const client = await openReader(options);
    if (client.sequencerUrl === null) {
      throw clientError("CLI_NO_SEQUENCER", "the server asks the sequencer which answers were paid");
    }
    // Loaded here: a server and its store would make every other command slower.
    const { serveModel } = await import("../../attribution/serve-model.ts");
    const modelId = parseId(options.model);
    output.progress("reading and checking the model");
    const log = {
      error: (facts: object, message: string) => process.stderr.write(`${message} ${inspect(facts)}\n`),
    };
    const served = await serveModel(
      {
        modelFolder: args[0]!,
        dataFolder: options.data,
        modelId,
        domain: client.domain,
        sequencerUrl: client.sequencerUrl,
        host: options.host,
        port: Number(options.port),
        answerTtlMs: Number(options.answerTtl) * 1000,
      },
      { log },
    );
    const address = served.url;
    output.answer([`model ${modelId} is served at ${address}; Ctrl-C ends it`], { modelId, address });
    const failure = await Promise.race([ended(), served.failed]);
    await served.close().catch((error: unknown) => {
      if (failure === undefined) throw error;
    });
    if (failure !== undefined) throw failure;
  });
}

function ended(): Promise<undefined> {
  // The server's socket keeps the process alive meanwhile.
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve(undefined));
  });
}
