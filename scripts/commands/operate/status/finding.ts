/**
 * Findings of `openledger status`: subject, problem and remedy. check-l1.ts and check-services.ts make them, status-command.ts
 * prints them.
 */
export interface Finding {
  /** Kind of thing: stable, for programs. */
  readonly check:
    | "l1"
    | "contract"
    | "key"
    | "balance"
    | "sequencer"
    | "bridge"
    | "prover"
    | "batch"
    | "queue"
    | "datanet-host"
    | "answer-server"
    | "factory";
  /** Subject of the finding: an address, a circuit, a batch. */
  readonly subject: string;
  /** null: nothing is wrong. */
  readonly problem: string | null;
  /** null if nothing is wrong. */
  readonly remedy: string | null;
}

export const good = (check: Finding["check"], subject: string): Finding => ({
  check,
  subject,
  problem: null,
  remedy: null,
});

export const bad = (check: Finding["check"], subject: string, problem: string, remedy: string): Finding => ({
  check,
  subject,
  problem,
  remedy,
});

/** @param problem null: nothing is wrong */
export const found = (
  check: Finding["check"],
  subject: string,
  problem: string | null,
  remedy: string,
): Finding => (problem === null ? good(check, subject) : bad(check, subject, problem, remedy));

/** Returns the finding of a check that may throw: the error's first line is the problem then. */
export async function looking(
  check: Finding["check"],
  subject: string,
  remedy: string,
  look: () => Promise<string | null>,
): Promise<Finding> {
  try {
    return found(check, subject, await look(), remedy);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    const named = typeof code === "string" ? `${code}: ` : "";
    return bad(check, subject, `${named}${(message ?? String(error)).split("\n")[0]}`, remedy);
  }
}

/** Renders findings: two lines for each problem, and one that counts. */
export function describeFindings(findings: readonly Finding[]): string[] {
  const wrong = findings.filter(({ problem }) => problem !== null);
  return [
    ...wrong.flatMap(({ check, problem, remedy, subject }) => [
      `WRONG  ${check} ${subject}: ${problem}`,
      `       → ${remedy}`,
    ]),
    wrong.length === 0
      ? `nothing is wrong (${findings.length} checks)`
      : `${wrong.length} of ${findings.length} checks found something wrong`,
  ];
}
