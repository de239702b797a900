/** `openledger doctor`: everything that is wrong with an installation, each with what to do about it. Changes nothing. */

import { existsSync } from "node:fs";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { installationPaths, readEnvFile, readInstallation } from "../installation/installation.ts";
import { checkL1 } from "./check-l1.ts";
import { checkLease } from "./check-lease.ts";
import { checkMachine } from "./check-machine.ts";
import { checkProcesses } from "./check-processes.ts";
import { checkProxies } from "./check-proxy.ts";
import { bad, type Finding, good } from "./finding.ts";

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Those where something is wrong. */
  readonly problems: readonly Finding[];
  /** What is as intended and not for production. */
  readonly notices: readonly string[];
}

/** @throws CMD_INIT_REFUSED */
export async function examine(folder: string): Promise<Diagnosis> {
  const installation = readInstallation(folder);
  const paths = installationPaths(folder);
  const findings: Finding[] = [];
  const notices: string[] = [];
  try {
    const deployment = loadDeployment(paths.deployment);
    findings.push(good("record", paths.deployment));
    const rpcUrl = rpcUrlOf(paths.env("bridge")) ?? deployment.rpcUrl;
    findings.push(...(await checkMachine(folder, installation, deployment)));
    findings.push(...(await checkL1(deployment, rpcUrl)));
    findings.push(...(await checkProcesses(folder, installation, deployment)));
    findings.push(...(await checkProxies(folder, installation)));
    findings.push(...(await checkLease(folder, installation, deployment, rpcUrl)));
    if (deployment.circuits.some(({ isDevelopment }) => isDevelopment))
      notices.push("development keys: anyone can forge proofs for this rollup");
  } catch (error) {
    const remedy = "copy the record that openledger deploy wrote to its place";
    findings.push(bad("record", paths.deployment, (error as Error).message.split("\n")[0]!, remedy));
  }
  return { findings, problems: findings.filter(({ problem }) => problem !== null), notices };
}

function rpcUrlOf(envPath: string): string | null {
  return existsSync(envPath) ? (readEnvFile(envPath).BRIDGE_L1_RPC_URL ?? null) : null;
}

/** A line of what is well, two of what is not. */
export function describeDiagnosis({ findings, notices, problems }: Diagnosis): string[] {
  return [
    ...findings.flatMap(({ check, problem, remedy, subject }) =>
      problem === null
        ? [`  ok   ${check} ${subject}`]
        : [`WRONG  ${check} ${subject}: ${problem}`, `       ${remedy}`],
    ),
    ...notices.map((text) => `  note ${text}`),
    problems.length === 0
      ? `nothing is wrong (${findings.length} checks)`
      : `${problems.length} of ${findings.length} checks found a problem`,
  ];
}
