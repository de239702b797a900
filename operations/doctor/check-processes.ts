/** Of the running processes: whether each answers, what it says of itself, and who else has its port. */
import { createServer } from "node:net";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { type Installation, type InstalledProcess, installationPaths } from "../installation/installation.ts";
import { bad, type Finding, good, looking } from "./finding.ts";

const TIMEOUT_MS = 5_000;
/** Between two machines; L1's blocks say more about the own clock alone. */
const MAX_SKEW_MS = 5_000;

export async function checkProcesses(
  folder: string,
  { processes }: Installation,
  deployment: Deployment,
): Promise<Finding[]> {
  const findings = (await Promise.all(processes.map((one) => checkProcess(one)))).flat();
  const sequencer = processes.find(({ kind }) => kind === "sequencer");
  const isUp = findings.every(({ problem, subject }) => subject !== sequencer?.name || problem === null);
  if (sequencer !== undefined && isUp)
    findings.push(...(await checkSequencer(folder, sequencer, deployment)));
  return findings;
}

const urlOf = ({ port }: InstalledProcess, path: string) => `http://127.0.0.1:${port}${path}`;
const ask = (url: string, init: RequestInit = {}) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });

async function checkProcess(one: InstalledProcess): Promise<Finding[]> {
  const { healthPath, name, port } = one;
  let answer: Response;
  let text: string;
  try {
    answer = await ask(urlOf(one, healthPath));
    text = await answer.text();
  } catch {
    const isTaken = await isPortTaken(port);
    const problem = isTaken
      ? `port ${port} is taken, and does not answer as ${name}`
      : `nothing answers on port ${port}`;
    const start = `start it: systemctl start openledger-${name}; if it does not stay up, its last line names the code`;
    const remedy = isTaken ? `find out who has it: ss -ltnp 'sport = :${port}'` : start;
    return [bad(isTaken ? "port" : "process", name, problem, remedy)];
  }
  let facts: Record<string, unknown>;
  try {
    facts = JSON.parse(text) as Record<string, unknown>;
  } catch {
    const remedy = `find out who has it: ss -ltnp 'sport = :${port}'`;
    return [bad("port", name, `what answers on port ${port} is not ${name}`, remedy)];
  }
  if (answer.ok) return [good("process", name)];
  const codes = [facts.failingCode, facts.status, facts.code].filter((fact) => typeof fact === "string");
  const said = codes.length === 0 ? text.slice(0, 200) : codes.join(", ");
  return [
    bad(
      "process",
      name,
      `it reports a problem: ${said}`,
      "see docs/how-to/runbook.md for the code in its log",
    ),
  ];
}

/** That it is this rollup's, hears of L1, takes this token, and has the same time. */
async function checkSequencer(
  folder: string,
  one: InstalledProcess,
  deployment: Deployment,
): Promise<Finding[]> {
  const { operatorToken } = installationPaths(folder);
  return [
    await looking(
      "process",
      "sequencer's rollup",
      "start it with this installation's deployment record",
      async () => {
        const info = (await (await ask(urlOf(one, "/v1/info"))).json()) as {
          rollupAddress?: string;
          chainId?: number;
        };
        const isSame = info.rollupAddress?.toLowerCase() === deployment.rollupAddress.toLowerCase();
        return isSame ? null : `it serves ${info.rollupAddress} on chain ${info.chainId}`;
      },
    ),
    await looking(
      "process",
      "bridge to sequencer",
      "look into the bridge's log; both need the same token",
      async () => {
        const health = (await (await ask(urlOf(one, "/health"))).json()) as { isL1HeadKnown?: boolean };
        return health.isL1HeadKnown === true ? null : "the bridge has not reported L1 to the sequencer yet";
      },
    ),
    await looking(
      "secret",
      "the sequencer's token",
      "restart the process that has another token",
      async () => {
        const headers = { authorization: `Bearer ${readSecretFile(operatorToken)}` };
        const { status } = await ask(urlOf(one, "/operator/chain"), { headers });
        return status === 200 ? null : `the sequencer answers ${status} to the token of ${operatorToken}`;
      },
    ),
    await looking("clock", "sequencer", "set the clocks of both machines by NTP", async () => {
      const date = (await ask(urlOf(one, "/health"))).headers.get("date");
      const skewMs = date === null ? 0 : Math.abs(Date.parse(date) - Date.now());
      return skewMs <= MAX_SKEW_MS ? null : `its clock differs by ${Math.round(skewMs / 1_000)} s`;
    }),
  ];
}

function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRINUSE"));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}
