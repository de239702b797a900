/** Global options and parsing of the command line, with one answer for wrong usage, as lines or JSON. commands/program.ts calls it. */

import { DEFAULT_MAX_PRIORITY_FEE_GWEI } from "@openledger/contracts/l1/capped-transaction";
import { DEFAULT_MAX_FEE_GWEI } from "@openledger/contracts/l1/fee-policy";
import { type Command, InvalidArgumentError } from "commander";
import { commandError } from "./cli-errors.ts";
import { withOptions } from "./options.ts";
import { createOutput } from "./output.ts";

export function withGlobalOptions(program: Command): Command {
  return withOptions(
    program.description(
      "Use an OpenLedger rollup: accounts, transfers, Datanets, models, rewards, verification.",
    ),
    {
      "--json": "print one JSON value, for errors too",
      "--rpc <url>": "URL of an Ethereum node; default: the devnet's",
      "--rollup <address>": "address of the rollup contract; default: the devnet's",
      "--sequencer <url>": "URL of the sequencer; default: the devnet's",
      "--beacon <url>": {
        about: "URL of a beacon node, for batches posted as blobs; repeatable",
        parse: collectUrl,
      },
      "--blobs <source>": {
        about:
          "folder of blobs, or URL of a sequencer or full node that serves them; repeatable. The first folder also stores blobs that are read from elsewhere",
        parse: collectBlobSource,
      },
      "--account <name>": "account that signs: a name in the accounts file",
      "--accounts-file <path>":
        "file with your accounts; default: the devnet's, with alice, bob, carol, dave",
      "--private-key-file <path>": "account that signs: a file with its Ethereum private key",
      "--max-fee-gwei <n>": {
        about: `maximum price on L1 of a unit of gas, in gwei; default: ${DEFAULT_MAX_FEE_GWEI}`,
        parse: checkGwei,
      },
      "--max-priority-fee-gwei <n>": {
        about: `maximum tip within it, in gwei; default: ${DEFAULT_MAX_PRIORITY_FEE_GWEI}`,
        parse: checkGwei,
      },
    },
  ).showHelpAfterError(false);
}

/** Options that had another name in earlier versions, with their present names. */
const RENAMED_OPTIONS: Readonly<Record<string, string>> = {
  "--least": "--min-assurance",
  "--price-at-most": "--max-price",
  "--decimal-comma": "--read number-marks=decimals",
};

/** Error of an unknown option that was renamed, which names the new one; any other error is itself. */
function withNewName(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== "commander.unknownOption") return error;
  const [, name = ""] = /'(--[a-z-]+)/.exec(message ?? "") ?? [];
  const newName = Object.hasOwn(RENAMED_OPTIONS, name) ? RENAMED_OPTIONS[name] : undefined;
  return newName === undefined ? error : commandError("CMD_USAGE", `${name} is named ${newName} now`);
}

/** Parses the command line; wrong usage is answered like any other failure, with exit status 2. */
export async function parseLine(argv: readonly string[], programFor: () => Promise<Command>): Promise<void> {
  try {
    await (await programFor()).parseAsync([...argv], { from: "user" });
  } catch (error) {
    const { exitCode, code } = error as { exitCode?: number; code?: string };
    // Help and version come as errors, too, and are none.
    if (exitCode === 0 || code === "commander.help") return;
    createOutput({ isJson: argv.includes("--json") }).fail(withNewName(error));
    process.exitCode = 2;
  }
}

/** Stops the commands from ending the process and from writing errors themselves. */
export function quieted(program: Command): Command {
  for (const command of allCommands(program))
    command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((child) => allCommands(child as Command))];
}

/** @param before the option's values so far */
function collectUrl(text: string, before: string[] = []): string[] {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ""))
    throw new InvalidArgumentError("not an http(s) URL");
  return [...before, text];
}

function collectBlobSource(text: string, before: string[] = []): string[] {
  if (text.includes("://")) return collectUrl(text, before);
  if (text === "") throw new InvalidArgumentError("neither a folder nor a URL");
  return [...before, text];
}

/** @returns wei */
function checkGwei(text: string): string {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("not a number of gwei");
  return text;
}
