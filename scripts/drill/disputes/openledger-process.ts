/** `openledger` as people run it: a process of its own, with its answer read from `--json`. */
import { spawn } from "node:child_process";
import { repositoryRoot } from "../../../circuits/compiler/compile.ts";
import { drillError } from "../drill-errors.ts";

export interface CommandRunner {
  /** @throws DRL_UNEXPECTED with what it said, where it ends with another status than 0 */
  run<Answer = Record<string, unknown>>(...args: readonly string[]): Promise<Answer>;
  /** The code of the error that it ends with. @throws DRL_UNEXPECTED where it ends well */
  refusal(...args: readonly string[]): Promise<string>;
}

/** @param home OPENLEDGER_HOME: where it finds the deployment and the servers */
export function commandRunner(home: string): CommandRunner {
  return {
    async run<Answer>(...args: readonly string[]) {
      const { status, stderr, stdout } = await ended(home, args);
      if (status !== 0)
        throw drillError(
          "DRL_UNEXPECTED",
          `openledger ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`,
        );
      return JSON.parse(stdout) as Answer;
    },
    async refusal(...args) {
      const { status, stdout } = await ended(home, args);
      if (status === 0) throw drillError("DRL_UNEXPECTED", `openledger ${args.join(" ")} was not refused`);
      return (JSON.parse(stdout) as { error: { code: string } }).error.code;
    },
  };
}

async function ended(home: string, args: readonly string[]) {
  const { HOME = "", PATH = "", TMPDIR } = process.env;
  const env = { HOME, PATH, OPENLEDGER_HOME: home, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
  const command = ["scripts/openledger.js", "--json", ...args];
  const child = spawn(process.execPath, command, {
    cwd: repositoryRoot,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const killOnExit = () => child.kill("SIGKILL");
  process.once("exit", killOnExit);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part) => {
    stdout += part;
  });
  child.stderr.on("data", (part) => {
    stderr += part;
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  process.off("exit", killOnExit);
  return { status, stderr, stdout };
}
