/** `openledger` as people run it: a process of its own, which answers in JSON. Scenarios of e2e/ run commands by it. */
import { spawn } from "node:child_process";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";

interface EndedCommand {
  /** Exit status; null if a signal has ended it. */
  readonly status: number | null;
  /** Answer of the command, or {"error": {code, message}}. */
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  /** Ends the command. */
  readonly signal?: AbortSignal;
  /** Called with each text that the command writes beside its answer, and with a function that kills it. */
  readonly onText?: (text: string, kill: () => void) => void;
}

/**
 * Runs a command that dies with this process.
 * @param home OPENLEDGER_HOME: where it finds the deployment, accounts and servers
 */
export async function runOpenledger(
  home: string,
  args: readonly string[],
  { onText, signal }: RunOptions = {},
): Promise<EndedCommand> {
  const { HOME = "", PATH = "", TMPDIR } = process.env;
  const env = { HOME, PATH, OPENLEDGER_HOME: home, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
  const command = ["scripts/openledger.js", "--json", ...args];
  const child = spawn(process.execPath, command, {
    cwd: repositoryRoot,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  signal?.addEventListener("abort", kill);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part) => {
    stdout += part;
  });
  child.stderr.on("data", (part) => {
    stderr += part;
    onText?.(String(part), kill);
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  process.off("exit", kill);
  signal?.removeEventListener("abort", kill);
  return { status, stderr, stdout };
}
