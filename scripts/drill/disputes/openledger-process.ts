/** Commands of a drill: what they answer, and how they are refused. */
import { runOpenledger } from "../../cli/openledger-process.ts";
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
      const { status, stderr, stdout } = await runOpenledger(home, args);
      if (status !== 0)
        throw drillError(
          "DRL_UNEXPECTED",
          `openledger ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`,
        );
      return JSON.parse(stdout) as Answer;
    },
    async refusal(...args) {
      const { status, stdout } = await runOpenledger(home, args);
      if (status === 0) throw drillError("DRL_UNEXPECTED", `openledger ${args.join(" ")} was not refused`);
      return (JSON.parse(stdout) as { error: { code: string } }).error.code;
    },
  };
}
