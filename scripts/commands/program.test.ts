import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { allCommands } from "../cli/command-line.ts";
import { createProgram } from "./program.ts";
import { runInProcess as run } from "./testing/run-in-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openledger-"));
});
afterAll(() => rm(folder, { recursive: true }));

const accountsFile = () => join(folder, "accounts.json");
const pathOf = (command: Command): string =>
  command.parent === null ? "" : `${pathOf(command.parent)} ${command.name()}`.trim();
const helpOf = (command: Command): string => {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
};

const commands = allCommands(await createProgram());

describe("openledger --help", () => {
  it("knows every command that the README names", () => {
    expect(commands.map(pathOf).sort()).toEqual(
      [
        "",
        "account",
        "account name",
        "account move",
        "account new",
        "account rotate-key",
        "ceremony",
        "ceremony beacon",
        "ceremony contribute",
        "ceremony new",
        "ceremony verify",
        "finalize-withdrawal",
        "datanet",
        "datanet access",
        "datanet approve-model",
        "datanet card",
        "datanet check",
        "datanet contribute",
        "datanet create",
        "datanet decide",
        "datanet download",
        "datanet export",
        "datanet find",
        "datanet findings",
        "datanet index",
        "datanet preview",
        "datanet publish",
        "datanet report",
        "datanet say",
        "datanet show",
        "datanet sign-again",
        "datanet suggest",
        "datanet upload",
        "datanet verify",
        "datanet withdraw",
        "deploy",
        "devnet",
        "devnet pass-day",
        "deposit",
        "follow",
        "exit",
        "fees",
        "migrate",
        "vote",
        "vote cast",
        "vote delegate",
        "vote execute",
        "vote list",
        "vote propose",
        "group",
        "factory",
        "factory compare",
        "factory export",
        "factory jobs",
        "factory register",
        "factory serve",
        "factory train",
        "factory worker",
        "force",
        "freeze",
        "gateway",
        "models ask",
        "models base",
        "models card",
        "models certificate",
        "models export",
        "models generate",
        "models keys",
        "models tune",
        "models register",
        "models close-epoch",
        "models settle",
        "models show",
        "models train",
        "models",
        "models serve",
        "models vectors",
        "operator",
        "operator bond",
        "operator bond announce",
        "operator bond deposit",
        "operator bond show",
        "operator bond withdraw",
        "operator close-batch",
        "operator init",
        "operator prepare-database",
        "operator worker-role",
        "receipt",
        "restore",
        "rewards",
        "rewards claim",
        "rewards what-if",
        "rewards why",
        "snapshot",
        "snapshot make",
        "snapshot verify",
        "spans",
        "status",
        "submit-queue",
        "transfer",
        "verify",
        "verify certificate",
        "verify equivocation",
        "verify model",
        "verify papers",
        "verify preconfirmations",
        "verify settlement",
        "watch",
        "withdraw",
      ].sort(),
    );
  });

  it("loads a command of the first level alone, as the whole program has it", async () => {
    for (const whole of commands[0]!.commands) {
      const program = await createProgram([whole.name()]);
      const alone = program.commands.find((command) => command.name() === whole.name());
      expect(allCommands(alone as Command).map(helpOf)).toEqual(allCommands(whole as Command).map(helpOf));
    }
  });

  it.each(commands.map((command) => [pathOf(command) || "(the program)", command] as const))(
    "ends the help of %s with an example of itself",
    (path, command) => {
      const example = helpOf(command).split("Example:")[1];
      expect(example).toContain(`$ npm run openledger -- ${path === "(the program)" ? "" : path}`);
    },
  );
});

describe("openledger", () => {
  it("says so where no Ethereum node answers", async () => {
    const rollup = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    const { status, stdout } = await run("--json", "--rpc", "http://127.0.0.1:1", "--rollup", rollup, "fees");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "CLI_UNREACHABLE" } });
  });

  it("refuses an address that is none, before it asks anybody", async () => {
    const { stdout } = await run("--json", "--rpc", "http://127.0.0.1:1", "--rollup", "0x12", "status");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "CMD_USAGE" } });
  });
});

describe("an option of all commands with a wrong value", () => {
  it("is refused as wrong usage, and does not end the process on the way", async () => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => {
      throw new Error("ended");
    });
    const { status, stdout } = await run("status", "--max-fee-gwei", "much", "--json");
    expect([status, JSON.parse(stdout).error.code]).toEqual([2, "CMD_USAGE"]);
    expect(exit).not.toHaveBeenCalled();
    exit.mockRestore();
  });
});

describe("openledger account new", () => {
  it("stores a key for the file's owner alone, and refuses the name the second time", async () => {
    const made = await run("account", "new", "erin", "--accounts-file", accountsFile(), "--json");
    expect(made.status).toBe(0);
    const { address } = JSON.parse(made.stdout) as { address: string };
    const { accounts } = JSON.parse(await readFile(accountsFile(), "utf8")) as {
      accounts: { name: string; address: string }[];
    };
    expect(accounts).toMatchObject([{ name: "erin", address, keyIndex: 0 }]);
    expect((await import("node:fs")).statSync(accountsFile()).mode & 0o077).toBe(0);
    const again = await run("account", "new", "erin", "--accounts-file", accountsFile(), "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: "CMD_ACCOUNT_INVALID" } });
  });

  it("puts no key in clear text beside an operator's installation", async () => {
    const operator = await mkdtemp(join(tmpdir(), "operator-"));
    await writeFile(join(operator, "settings.env"), "");
    const beside = join(operator, "accounts.json");
    const refused = await run("account", "new", "erin", "--accounts-file", beside, "--json");
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "CMD_USAGE" } });
    expect(existsSync(beside)).toBe(false);
    await rm(operator, { recursive: true });
  });

  it("never prints the private key, and keeps a random ledger key where one is asked for", async () => {
    const made = await run(
      "account",
      "new",
      "frank",
      "--random-key",
      "--accounts-file",
      accountsFile(),
      "--json",
    );
    const { accounts } = JSON.parse(await readFile(accountsFile(), "utf8")) as {
      accounts: { name: string; privateKey: string; l2Secret?: string }[];
    };
    const frank = accounts.find(({ name }) => name === "frank")!;
    expect(frank.l2Secret).toMatch(/^0x[0-9a-f]{64}$/);
    for (const secret of [frank.privateKey, frank.l2Secret!])
      expect(made.stdout + made.stderr).not.toContain(secret);
  });

  it("refuses a name that is none, and a file that is none", async () => {
    const bad = await run("account", "new", "../Erin", "--accounts-file", accountsFile(), "--json");
    expect(JSON.parse(bad.stdout)).toMatchObject({ error: { code: "CMD_USAGE" } });
    const broken = join(folder, "broken.json");
    await writeFile(broken, "{");
    const answer = await run("account", "new", "erin", "--accounts-file", broken, "--json");
    expect(JSON.parse(answer.stdout)).toMatchObject({ error: { code: "CMD_ACCOUNT_INVALID" } });
  });
});
