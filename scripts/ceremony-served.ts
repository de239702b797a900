/** `ceremony serve`, `join` and `finish`: a ceremony that people join by themselves, from its page or a command line. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import type { ResolveCircuit } from "@openledger/prover/keys/ceremony";
import { proverError } from "@openledger/prover/prover-errors";
import type { Command } from "commander";
import { withOptions } from "./cli/options.ts";
import { SERVER_OPTIONS, type ServerOptionTexts, serverLimitsOf } from "./cli/server-options.ts";

interface ServeOptions extends ServerOptionTexts {
  folder: string;
  circuit?: string;
  ptau?: string;
  contributions: string;
  beaconNotice: string;
  host: string;
  port: string;
  turnMinutes: string;
  stalledSeconds: string;
  silentSeconds: string;
  maxWaiting: string;
  maxPerAddress: string;
  joinsPerMinute: string;
}

interface FinishOptions {
  folder: string;
  ptau: string;
  beacon: string;
  out: string;
  iterationsExp: string;
  json?: boolean;
}

export interface CeremonyTools {
  readonly onLog: (line: string) => void;
  readonly loadResolver: () => Promise<ResolveCircuit>;
  readonly report: (result: object, isJson: boolean | undefined) => void;
}

const example = (line: string) => `\nExample:\n  $ npm run ceremony -- ${line}\n`;

export function addServedCommands(program: Command, tools: CeremonyTools): void {
  withOptions(program.command("serve"), SERVER_OPTIONS)
    .description("let people contribute from a page, one after the other")
    .requiredOption("--folder <path>", "the ceremony's folder; a new one needs --circuit and --ptau")
    .option("--circuit <name>", "of a new ceremony: the circuit, such as table-10-6-5-20-6-1-2")
    .option("--ptau <file>", "of a new ceremony: powers of tau, prepared for phase 2")
    .option("--contributions <n>", "of a new ceremony: how many it takes", "150")
    .option("--beacon-notice <text>", "of a new ceremony: which public value will end it", "")
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--port <n>", "0 for any free one", "8570")
    .option("--turn-minutes <n>", "longest turn", "30")
    .option("--stalled-seconds <n>", "after so long without any work a turn is lost", "120")
    .option("--silent-seconds <n>", "after so long without a word a place is lost", "150")
    .option("--max-waiting <n>", "places in the list", "500")
    .option("--max-per-address <n>", "places of one network address", "3")
    .option("--joins-per-minute <n>", "of one network address", "10")
    .addHelpText(
      "after",
      example(
        'serve --folder ceremony --circuit table-10-6-5-20-6-1-2 --ptau pot18.ptau --beacon-notice "the hash of Ethereum block 26000000"',
      ),
    )
    .action(async (options: ServeOptions) => {
      await serve(options, tools);
    });

  program
    .command("join")
    .description("contribute to a coordinator's ceremony from the command line, not from its page")
    .requiredOption("--url <address>", "of its page")
    .requiredOption("--name <who>", "goes into the key's public transcript")
    .option("--json", "print the result as JSON")
    .addHelpText("after", example('join --url https://ceremony.example --name "Ada"'))
    .action(async ({ json, name, url }: { url: string; name: string; json?: boolean }) => {
      const { CeremonyClient } = await import("@openledger/prover/ceremony/ceremony-client");
      const { contributeInTurns } = await import("@openledger/prover/ceremony/contribute");
      let said = "";
      const entry = await new CeremonyClient(url).takePart({
        name,
        entropy: new Uint8Array(),
        compute: contributeInTurns,
        onStage: (stage) => {
          const text =
            stage.name === "waiting"
              ? `waiting: ${stage.place} before you`
              : stage.name.replace("check", "checking");
          if (text !== said) tools.onLog(text);
          said = text;
        },
      });
      tools.report({ contribution: entry.index, name: entry.name, hash: entry.hash }, json);
    });

  program
    .command("finish")
    .description("end a served ceremony with the beacon, check the whole key and export it")
    .requiredOption("--folder <path>", "the ceremony's folder; its server has to be stopped")
    .requiredOption("--ptau <file>", "the powers of tau that it began with")
    .requiredOption("--beacon <hex>", "the announced public value, without 0x")
    .requiredOption("--out <folder>", "the folder to make, as the prover and the deployment read it")
    .option("--iterations-exp <n>", "hash the value 2^n times", "10")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      example("finish --folder ceremony --ptau pot18.ptau --beacon 0102… --out keys/table-10-6-5-20-6-1-2"),
    )
    .action(async (options: FinishOptions) => {
      const { finishCeremony } = await import("@openledger/prover/coordinator/finish-ceremony");
      const { finished, meta } = await finishCeremony(
        {
          folder: options.folder,
          resolveCircuit: await tools.loadResolver(),
          ptauPath: options.ptau,
          beaconHex: options.beacon,
          iterationsExp: Number(options.iterationsExp),
          keyFolder: options.out,
        },
        { onLog: tools.onLog },
      );
      tools.report({ folder: options.out, hash: finished.hash, zkeySha256: meta.zkeySha256 }, options.json);
    });
}

/** @throws PRV_CEREMONY_REFUSED */
function wholeNumber(text: string, name: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw proverError("PRV_CEREMONY_REFUSED", `refused: --${name} is a whole number, ${least} or more`, {
    data: { [name]: text },
  });
}

/** Until SIGTERM or SIGINT; a kill loses nothing that was accepted. */
async function serve(options: ServeOptions, tools: CeremonyTools): Promise<void> {
  keepFilesPrivate();
  const [{ createCeremony }, { startCoordinator }, { buildCeremonyPage }] = await Promise.all([
    import("@openledger/prover/coordinator/ceremony-folder"),
    import("@openledger/prover/coordinator/start-coordinator"),
    import("@openledger/web/build/ceremony-page"),
  ]);
  const { circuit, folder, ptau } = options;
  if (!existsSync(join(folder, "ceremony.json"))) {
    if (circuit === undefined || ptau === undefined)
      throw proverError(
        "PRV_CEREMONY_REFUSED",
        `refused: ${folder} has no ceremony, and a new one needs --circuit and --ptau`,
        {
          data: { folder },
        },
      );
    const [{ startKey }, { compileCircuit }] = await Promise.all([
      import("@openledger/prover/keys/ceremony"),
      import("@openledger/circuits/compiler/compile"),
    ]);
    const resolveCircuit = await tools.loadResolver();
    const zkeyPath = `${folder}.first-${process.pid}.zkey`;
    try {
      await startKey(
        { circuitName: circuit, resolveCircuit, ptauPath: ptau, zkeyPath },
        { onLog: tools.onLog },
      );
      const { contentHash } = await compileCircuit(resolveCircuit(circuit));
      const maxContributions = wholeNumber(options.contributions, "contributions", 1);
      const facts = {
        circuitName: circuit,
        contentHash,
        maxContributions,
        beaconNotice: options.beaconNotice,
      };
      await createCeremony(folder, facts, zkeyPath);
    } finally {
      await rm(zkeyPath, { force: true });
    }
  }
  tools.onLog("building the page");
  const coordinator = await startCoordinator({
    folder,
    host: options.host,
    port: wholeNumber(options.port, "port", 0),
    turnMs: 60_000 * wholeNumber(options.turnMinutes, "turn-minutes", 1),
    stalledMs: 1_000 * wholeNumber(options.stalledSeconds, "stalled-seconds", 1),
    silentMs: 1_000 * wholeNumber(options.silentSeconds, "silent-seconds", 1),
    maxWaiting: wholeNumber(options.maxWaiting, "max-waiting", 1),
    maxPerAddress: wholeNumber(options.maxPerAddress, "max-per-address", 1),
    joinsPerMinute: wholeNumber(options.joinsPerMinute, "joins-per-minute", 1),
    ...serverLimitsOf(options),
    pages: await buildCeremonyPage(),
    log: createLogger("ceremony", "info", process.stderr),
  });
  tools.report({ url: coordinator.url }, true);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void coordinator.stop().then(() => process.exit(0)));
}
