/** Commands as people run them: what they answer, and how they are refused. */
import { runOpenledger } from "@openledger/scripts/cli/openledger-process";
import { drillError } from "./drill-errors.ts";

export interface CommandRunner {
  /** @throws DRL_UNEXPECTED with what it said, where it ends with another status than 0 */
  run<Answer = Record<string, unknown>>(...args: readonly string[]): Promise<Answer>;
  /** The same, heard while it runs. @returns null where the listener has killed it */
  heard<Answer = Record<string, unknown>>(
    onSaid: (text: string, kill: () => void) => void,
    ...args: readonly string[]
  ): Promise<Answer | null>;
  /** The code of the error that it ends with. @throws DRL_UNEXPECTED where it ends well */
  refusal(...args: readonly string[]): Promise<string>;
}

/** @param home OPENLEDGER_HOME: where it finds the deployment and the servers */
export function commandRunner(home: string): CommandRunner {
  const failed = (args: readonly string[], how: string) =>
    drillError("DRL_UNEXPECTED", `openledger ${args.join(" ")} ${how}`);
  const heard: CommandRunner["heard"] = async (onSaid, ...args) => {
    const { status, stderr, stdout } = await runOpenledger(home, args, { onSaid });
    if (status === null) return null;
    if (status !== 0) throw failed(args, `ended with ${status}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  };
  return {
    heard,
    async run<Answer>(...args: readonly string[]) {
      const answer = await heard<Answer>(() => {}, ...args);
      if (answer === null) throw failed(args, "was killed");
      return answer;
    },
    async refusal(...args) {
      const { status, stdout } = await runOpenledger(home, args);
      if (status === 0) throw failed(args, "was not refused");
      return (JSON.parse(stdout) as { error: { code: string } }).error.code;
    },
  };
}
