/**
 * Runs all checks of `openledger status` (check-l1.ts, check-services.ts) and collects their findings. Nothing here changes
 * anything.
 */
import { existsSync } from "node:fs";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { deploymentOf, type Endpoints } from "../../../cli/context.ts";
import { workspaceDir } from "../../../cli/workspace.ts";
import { installationPaths } from "../installation/installation.ts";
import { checkKeyFiles, checkL1 } from "./check-l1.ts";
import { checkPipeline, checkSequencer, checkServices, readServices } from "./check-services.ts";
import { bad, type Finding } from "./finding.ts";

export interface Examination {
  readonly findings: readonly Finding[];
  /** true: L1 and the contract can be read. Without them nothing else can be shown. */
  readonly isL1Readable: boolean;
  /** true: the sequencer, if one is named, can be read. */
  readonly isSequencerReadable: boolean;
}

export async function examine(
  { rollupAddress, rpcUrl, sequencerUrl }: Endpoints,
  answerServers: readonly string[],
  nowMs = Date.now(),
): Promise<Examination> {
  const record = deploymentOf(rollupAddress);
  const findings = await checkL1({ rpcUrl, rollupAddress, chainId: record?.chainId ?? null }, nowMs);
  const isWrong = (check: Finding["check"], subject: string) =>
    findings.some((one) => one.problem !== null && one.check === check && one.subject === subject);
  const isL1Readable = !isWrong("l1", new URL(rpcUrl).host) && !isWrong("contract", rollupAddress);
  // Keys are on the operator's machines alone.
  if (record !== null && existsSync(installationPaths(workspaceDir()).settings))
    findings.push(...checkKeyFiles(record.circuits));
  if (sequencerUrl === null) return { findings, isL1Readable, isSequencerReadable: false };
  const sequencer = await checkSequencer(sequencerUrl, rollupAddress);
  findings.push(...sequencer);
  const services = await readServices(sequencerUrl);
  const all = { ...services, answerServers: [...services.answerServers, ...answerServers] };
  findings.push(...(await checkServices(all)));
  let isSequencerReadable = false;
  try {
    const status = await getStatus({ sequencerUrl, requestTimeoutMs: 10_000 });
    isSequencerReadable = true;
    findings.push(...(await checkPipeline(sequencerUrl, status, nowMs)));
  } catch (error) {
    // Its health says already why it does not answer.
    if (sequencer.every(({ problem }) => problem === null))
      findings.push(bad("sequencer", "/v1/status", (error as Error).message, "look at its log"));
  }
  return { findings, isL1Readable, isSequencerReadable };
}
