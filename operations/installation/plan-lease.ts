/** What a lease changes in an installation: a leader that needs it, or a standby that follows the leader and waits. */
import { type InstallationPlan, type InstalledProcess, installationPaths } from "./installation.ts";
import type { PlannedProcess, ProcessRequest } from "./planned-process.ts";

/** What else a standby could run needs a sequencer of its own. */
const OF_A_STANDBY: readonly InstalledProcess["kind"][] = ["prover", "full-node"];

/** Where the machine's own sequencer is for the other processes here. */
export function ownSequencerUrl({ firstPort, host }: Pick<InstallationPlan, "firstPort" | "host">): string {
  return `http://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host}:${firstPort}`;
}

/** A machine keeps each port in both roles. */
export function withLease(processes: readonly PlannedProcess[], request: ProcessRequest): PlannedProcess[] {
  const { folder, lease } = request;
  if (lease === null) return [...processes];
  const { replicaToken } = installationPaths(folder);
  const { address, leaderUrl, role, url } = lease;
  // Provers of two machines take their jobs from one queue; logs tell them apart by their names.
  const named = processes.map((one) =>
    one.kind === "prover" ? withEnv(one, { PROVER_NAME: `${one.name}@${new URL(url).host}` }) : one,
  );
  if (role === "leader" || leaderUrl === null) {
    return named.map((one) => {
      if (one.kind === "sequencer")
        return withEnv(one, { SEQUENCER_LEASE: "required", SEQUENCER_REPLICA_TOKEN_FILE: replicaToken });
      return one.kind === "bridge" ? withEnv(one, { BRIDGE_LEASE_ADDRESS: address }) : one;
    });
  }
  const own = ownSequencerUrl(request);
  return named
    .filter(({ kind }) => OF_A_STANDBY.includes(kind))
    .map((one) => {
      if (one.kind === "prover") return one;
      const args = one.args.map((arg) => (arg === own ? leaderUrl : arg));
      return { ...one, args: [...args, "--replica-token-file", replicaToken] };
    });
}

const withEnv = (one: PlannedProcess, env: Readonly<Record<string, string>>): PlannedProcess => ({
  ...one,
  env: { ...one.env, ...env },
});
