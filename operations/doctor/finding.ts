/** What `openledger doctor` says of one thing that it looked at. */
export interface Finding {
  /** Of what kind of thing: stable, for programs. */
  readonly check:
    | "node"
    | "native"
    | "record"
    | "contracts"
    | "key"
    | "secret"
    | "settings"
    | "port"
    | "l1"
    | "deployed"
    | "lease"
    | "balance"
    | "clock"
    | "disk"
    | "process"
    | "proxy";
  /** What exactly: a file, a process, a circuit. */
  readonly subject: string;
  /** null: nothing is wrong. */
  readonly problem: string | null;
  /** What to do, where something is wrong. */
  readonly remedy: string;
}

export const good = (check: Finding["check"], subject: string): Finding => ({
  check,
  subject,
  problem: null,
  remedy: "",
});

export const bad = (check: Finding["check"], subject: string, problem: string, remedy: string): Finding => ({
  check,
  subject,
  problem,
  remedy,
});

/** Of something that may throw: what it says is the problem. */
export async function looking(
  check: Finding["check"],
  subject: string,
  remedy: string,
  look: () => Promise<string | null>,
): Promise<Finding> {
  try {
    const problem = await look();
    return problem === null ? good(check, subject) : bad(check, subject, problem, remedy);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    const named = typeof code === "string" ? `${code}: ` : "";
    return bad(check, subject, `${named}${(message ?? String(error)).split("\n")[0]}`, remedy);
  }
}
