/** Commands as people run them, with their answers and refusals. */

import { drillError } from "./drill-errors.ts";
import { runOpenledger } from "./openledger-process.ts";

export interface CommandRunner {
  /** Answer of the command. @throws DRL_UNEXPECTED with its output if its exit status is not 0 */
  run<Answer = Record<string, unknown>>(...args: readonly string[]): Promise<Answer>;
  /** Runs a command and passes its output on meanwhile. @returns null if the listener has killed it */
  follow<Answer = Record<string, unknown>>(
    onText: (text: string, kill: () => void) => void,
    ...args: readonly string[]
  ): Promise<Answer | null>;
  /** Error code of a command that fails. @throws DRL_UNEXPECTED if it succeeds */
  refusal(...args: readonly string[]): Promise<string>;
}

/** @param home OPENLEDGER_HOME: where it finds the deployment and the servers */
export function commandRunner(home: string): CommandRunner {
  const failed = (args: readonly string[], how: string) =>
    drillError("DRL_UNEXPECTED", `openledger ${args.join(" ")} ${how}`);
  const follow: CommandRunner["follow"] = async (onText, ...args) => {
    const { status, stderr, stdout } = await runOpenledger(home, args, { onText });
    if (status === null) return null;
    if (status !== 0) throw failed(args, `ended with ${status}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  };
  return {
    follow,
    async run<Answer>(...args: readonly string[]) {
      const answer = await follow<Answer>(() => {}, ...args);
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
