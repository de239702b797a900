/** Checks of a rollup's services for `openledger status`: by their own answers, and by the sequencer's. */
import { MALFORMED_REMEDY } from "@openledger/bridge/l1/submission/malformed-batch";
import { getBatch } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerBatch, SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import { boundedJson } from "@openledger/foundation/wire/bounded-body";
import { type Address, isAddressEqual } from "viem";
import { z } from "zod";
import { bad, type Finding, found, good, looking } from "./finding.ts";

/** Limit of one request to a service. */
const TIMEOUT_MS = 10_000;
/** A bridge reports each block of L1. */
const MAX_BRIDGE_SILENCE_MS = 600_000;
/** The sequencer hears of its prover's process, or of the queue's workers, every second. */
const MAX_PROVER_SILENCE_MS = 60_000;
/** L1 refuses a batch whose timestamp is an hour old. */
const MAX_UNPOSTED_MS = 1_800_000;
const RUNBOOK = "docs/how-to/runbook.md";

/** Places of the other services, as the sequencer names them to its pages. */
export interface ServiceAddresses {
  readonly answerServers: readonly string[];
  readonly datanetHosts: readonly string[];
  readonly factoryUrl: string | null;
}

const servicesSchema = z.object({
  answerServers: z.array(z.string()).default([]),
  datanetHosts: z.array(z.string()).default([]),
  factoryUrl: z.string().nullable().default(null),
});
const healthSchema = z.object({ status: z.string().optional(), failingCode: z.string().nullish() });
const infoSchema = z.object({ rollupAddress: z.string(), chainId: z.int() });

/** Maximum bytes of a service's facts. */
const MAX_FACTS_BYTES = 2 ** 22;

const ask = (url: string) => fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });

/** Checks that a sequencer answers, serves this rollup, and says that it is well. */
export async function checkSequencer(url: string, rollupAddress: Address): Promise<Finding[]> {
  const start = `start it (docker compose up --detach); if it does not stay up, its last line names the code: ${RUNBOOK}#sequencerdown`;
  const answers = await looking("sequencer", url, start, async () => {
    const answer = await ask(`${url}/health`);
    const { failingCode, status } = healthSchema.parse(await boundedJson(answer, MAX_FACTS_BYTES));
    return answer.ok ? null : `it says ${failingCode ?? status ?? `HTTP ${answer.status}`}`;
  });
  if (answers.problem !== null) return [withHealthRemedy(answers)];
  const remedy =
    "name this rollup's sequencer with --sequencer URL, or start it with this rollup's deployment record";
  const isSame = await looking("sequencer", `${url}, its rollup`, remedy, async () => {
    const info = infoSchema.parse(await boundedJson(await ask(`${url}/v1/info`), MAX_FACTS_BYTES));
    return isAddressEqual(info.rollupAddress as Address, rollupAddress)
      ? null
      : `it serves ${info.rollupAddress} on chain ${info.chainId}`;
  });
  return [answers, isSame];
}

/** Remedies by the status word of a sequencer's health. */
const HEALTH_REMEDIES: Readonly<Record<string, string>> = {
  behind: `wait for the bridge's first report; if it lasts: ${RUNBOOK}#behindl1`,
  alarm: MALFORMED_REMEDY,
  stopping: "start it again once it has ended",
};

function withHealthRemedy(finding: Finding): Finding {
  const [, word = ""] = /^it says (\w+)$/.exec(finding.problem ?? "") ?? [];
  return { ...finding, remedy: HEALTH_REMEDIES[word] ?? finding.remedy };
}

/** Findings about bridge, prover and the oldest batch that L1 does not have, by the sequencer's word. */
export async function checkPipeline(
  sequencerUrl: string,
  status: SequencerStatus,
  nowMs: number,
): Promise<Finding[]> {
  const { batches, estimates, operator } = status;
  const findings: Finding[] = [];
  const next =
    batches.closed > batches.posted
      ? await getBatch({ sequencerUrl, requestTimeoutMs: TIMEOUT_MS }, batches.posted + 1)
      : null;
  findings.push(next === null ? good("batch", "none waits for L1") : batchFinding(next, nowMs));
  // A full node has no processes of its own.
  if (operator === undefined) return findings;
  findings.push(...bridgeFindings(operator.bridge, nowMs));
  const isWaiting = batches.closed > batches.proven;
  findings.push(
    proverFinding(operator.prover, isWaiting, MAX_PROVER_SILENCE_MS + 3 * estimates.proveMs, nowMs),
  );
  return findings;
}

export function batchFinding(
  { closedAtMs, number, status }: Pick<LedgerBatch, "closedAtMs" | "number" | "status">,
  nowMs: number,
): Finding {
  const ageMs = closedAtMs == null ? 0 : nowMs - closedAtMs;
  const isUnproven = status === "closed";
  return found(
    "batch",
    String(number),
    ageMs <= MAX_UNPOSTED_MS
      ? null
      : `it was closed ${Math.round(ageMs / 60_000)} minutes ago, and is ${isUnproven ? "not proven" : "not on L1"}`,
    isUnproven ? `${RUNBOOK}#proofsbehind` : `${RUNBOOK}#bridgealarm`,
  );
}

export function bridgeFindings(
  bridge: { readonly heardAtMs: number; readonly alarms: readonly string[] } | null,
  nowMs: number,
): Finding[] {
  const remedy = `start it, or look at its log: ${RUNBOOK}#bridgedown`;
  if (bridge === null)
    return [bad("bridge", "report", "the sequencer has heard nothing of it since its start", remedy)];
  const silentMs = nowMs - bridge.heardAtMs;
  const silence = `the sequencer heard of it ${Math.round(silentMs / 60_000)} minutes ago`;
  return [
    found("bridge", "report", silentMs > MAX_BRIDGE_SILENCE_MS ? silence : null, remedy),
    ...bridge.alarms.map((code) =>
      bad("bridge", code, "it waits for a human", `${RUNBOOK}#bridgealarm has a row for the code`),
    ),
  ];
}

export function proverFinding(
  prover: { readonly heardAtMs: number; readonly name: string } | null,
  isWaiting: boolean,
  maxSilenceMs: number,
  nowMs: number,
): Finding {
  const remedy = `look at the sequencer's log: ${RUNBOOK}#provermissing`;
  // A service is not missed while no work waits.
  if (!isWaiting) return good("prover", "no batch waits for a proof");
  if (prover === null)
    return bad("prover", "any", "batches wait for proofs, and no prover has been there", remedy);
  const silentMs = nowMs - prover.heardAtMs;
  const silence = `batches wait for proofs, and it was heard ${Math.round(silentMs / 1_000)} s ago`;
  return found("prover", prover.name, silentMs > maxSilenceMs ? silence : null, remedy);
}

/** @returns none if the sequencer serves no pages */
export async function readServices(sequencerUrl: string): Promise<ServiceAddresses> {
  const none = { answerServers: [], datanetHosts: [], factoryUrl: null };
  try {
    const answer = await ask(`${sequencerUrl}/pages.json`);
    return answer.ok ? servicesSchema.parse(await boundedJson(answer, MAX_FACTS_BYTES)) : none;
  } catch {
    return none;
  }
}

/** Checks that each of the other services answers, and says that it is well. */
export function checkServices(services: ServiceAddresses): Promise<Finding[]> {
  const { answerServers, datanetHosts, factoryUrl } = services;
  const all: readonly (readonly [check: Finding["check"], urls: readonly string[], healthPath: string])[] = [
    ["datanet-host", datanetHosts, "/health"],
    ["answer-server", answerServers, "/health"],
    ["factory", factoryUrl === null ? [] : [factoryUrl], "/health"],
  ];
  return Promise.all(
    all.flatMap(([check, urls, path]) =>
      [...new Set(urls)].map((url) =>
        looking(
          check,
          url,
          "start it, or take its address out of the sequencer's settings (SEQUENCER_PAGES_…)",
          async () => {
            const answer = await ask(`${url.replace(/\/+$/, "")}${path}`);
            return answer.ok ? null : `it answers HTTP ${answer.status}`;
          },
        ),
      ),
    ),
  );
}
