/**
 * Page "#/health": state of sequencer, prover, bridge and Ethereum, alerts, fees, and promises that the operator broke, from the
 * server's reports and the page's own node. Times are in milliseconds.
 */
import { listBatches } from "@openledger/client/sequencer/ledger-reads";
import type { SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import type { ComponentChildren } from "preact";
import { formatGwei } from "viem";
import { Badge, type Tone } from "../design/badge.tsx";
import { Notice } from "../design/notice.tsx";
import { l1Node } from "../ledger/l1-node.ts";
import { L1_STALL_MS, type Live } from "../ledger/live.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showAge, showCount, showCounted, showDuration } from "../words/format.ts";
import { BatchLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { BatchCharts } from "./batch-charts.tsx";
import { OperatorAccount } from "./operator-account.tsx";
import {
  type L1Health,
  readEquivocations,
  readL1Health,
  readServerHealth,
  type ServerHealth,
} from "./read-health.ts";
import { Verdicts } from "./verdicts.tsx";

/** Batches of the charts. */
const BATCHES_READ = 60;

/** Health of the rollup: who works, who waits, what it costs, and whether the operator was caught lying. */
export function HealthPage({ site, live }: PageProps) {
  const health = useAnswer(live, "health", () => readServerHealth(site.sequencer));
  const isFullNode = health.value === undefined ? undefined : health.value.fullNode !== undefined;
  const equivocations = useAnswer(live, `alarms ${isFullNode}`, async () =>
    isFullNode === undefined ? undefined : isFullNode ? readEquivocations(site.sequencer) : null,
  );
  const batches = useAnswer(live, "batches", () => listBatches(site.sequencer, BATCHES_READ));
  const node = l1Node(site);
  const l1 = useAnswer<L1Health | null>(
    live,
    `l1 ${node === null} ${batches.value === undefined}`,
    async () => (node === null ? null : readL1Health(node, batches.value ?? [])),
  );
  const status = live.status.value;
  return (
    <>
      <section class="stack">
        <h1>Health</h1>
        <p class="lead">
          What the server, the prover and the bridge report, what Ethereum shows, and what a{" "}
          <Term name="full node" /> has caught.
        </p>
        {site.governance !== null && (
          <p>
            OPEN holders vote on the treasury and the next rollup: <a href="#/votes">votes and proposals</a>.
          </p>
        )}
      </section>
      {health.value !== undefined && live.link.value !== "lost" && (
        <Alarms health={health.value} status={status} />
      )}
      {equivocations.value !== undefined && equivocations.value !== null && (
        <Verdicts equivocations={equivocations.value} />
      )}
      {status !== null && (
        <div class="columns columns-small">
          <Parts live={live} status={status} health={health.value} l1={l1.value ?? null} />
        </div>
      )}
      {l1.problem !== null && <ProblemNotice problem={l1.problem} />}
      {l1.value != null && <Fees l1={l1.value} />}
      {isFullNode === false && <OperatorAccount site={site} live={live} />}
      {batches.problem !== null && <ProblemNotice problem={batches.problem} />}
      {batches.value !== undefined && <BatchCharts batches={batches.value} />}
      {equivocations.value === null && <Verdicts equivocations={null} />}
    </>
  );
}

const KINDS: Readonly<Record<string, string>> = {
  "l1-stalled": "no new Ethereum blocks, or no response",
  "feed-stalled": "the sequencer does not respond",
  "feed-differs": "what the sequencer publishes does not execute",
  "queue-overdue": "Ethereum's queue is not processed",
  "batch-malformed": "Ethereum has a batch that breaks the ledger's rules",
};

function Alarms({ health, status }: { health: ServerHealth; status: SequencerStatus | null }) {
  const lasting = health.alarms.filter(({ why }) => why !== undefined);
  const hasKept = health.alarms.length > lasting.length;
  const atBridge = status?.operator?.bridge?.alarms ?? [];
  if (lasting.length + atBridge.length === 0 && hasKept) return null;
  if (lasting.length + atBridge.length === 0)
    return <Notice tone="good" title="No active alerts, as far as this server knows." />;
  return (
    <Notice tone="bad" title={`${showCount(lasting.length + atBridge.length)} to check`}>
      <ul class="stack-s">
        {lasting.map(({ kind, why }) => (
          <li key={kind}>
            {KINDS[kind] ?? kind}: {why}
          </li>
        ))}
        {atBridge.map((code) => (
          <li key={code}>
            the bridge needs an operator: <code>{code}</code>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function Part({
  name,
  tone,
  state,
  children,
}: {
  name: string;
  tone: Tone;
  state: string;
  children: ComponentChildren;
}) {
  return (
    <section class="card stack-s" aria-label={name}>
      <div class="row">
        <h2>{name}</h2>
        <span class="push" />
        <Badge tone={tone}>{state}</Badge>
      </div>
      {children}
    </section>
  );
}

interface PartsProps {
  live: Live;
  status: SequencerStatus;
  health: ServerHealth | undefined;
  l1: L1Health | null;
}

/** Time since its last request or report after which a process counts as missing. */
const SILENT_MS = 60_000;

function Parts({ live, status, health, l1 }: PartsProps) {
  const nowMs = live.nowMs.value;
  const isLost = live.link.value === "lost";
  const { batches, estimates, mempool, operator, queue } = status;
  const unproven = batches.closed - batches.proven;
  const unposted = batches.proven - batches.posted;
  const toFinalMs = estimates.closeMs + estimates.proveMs + estimates.postMs + (estimates.finalMs ?? 0);
  const { bridge, prover } = operator ?? {};
  // A full node measures nothing: what its API has in place of estimates is made up.
  const isFullNode = health?.fullNode !== undefined;
  const stoodMs = nowMs - (live.l1.value?.sinceMs ?? nowMs);
  const isStalled = stoodMs > L1_STALL_MS;
  const isNodeAhead = l1 !== null && live.l1.value !== null && l1.blockNumber > live.l1.value.blockNumber + 2;
  const isBridgeSilent = operator !== undefined && isStalled && isNodeAhead;
  const isProverSilent =
    prover != null && unproven > 0 && nowMs - prover.heardAtMs > SILENT_MS + 3 * estimates.proveMs;
  return (
    <>
      <Part
        name={isFullNode ? "Full node" : "Sequencer"}
        tone={isLost ? "bad" : health?.status === "ok" ? "good" : "wait"}
        state={isLost ? "no answer" : health?.status === "ok" ? "running" : (health?.status ?? "asking")}
      >
        <p>
          {isLost ? "It answered last with " : ""}
          {showCounted(status.head.opIndex, "operation")}, {showCount(mempool.pending)} waiting.
        </p>
        {health?.fullNode?.feedUrl != null && (
          <p class="soft small">
            It {health.fullNode.isFeedFollowed ? "follows" : "has lost"} the sequencer's feed.
          </p>
        )}
      </Part>
      <Part
        name="Prover"
        tone={isProverSilent ? "bad" : unproven > 0 ? "wait" : "good"}
        state={
          isProverSilent ? "no report" : unproven > 0 ? `${showCount(unproven)} to prove` : "none waiting"
        }
      >
        {!isFullNode && <p>A proof takes about {showDuration(estimates.proveMs)}.</p>}
        <p class="soft small">{heard(operator, prover, nowMs, "It asked for work")}</p>
      </Part>
      <Part
        name="Bridge"
        tone={isBridgeSilent || (bridge?.alarms.length ?? 0) > 0 ? "bad" : unposted > 0 ? "wait" : "good"}
        state={
          isBridgeSilent ? "no report" : unposted > 0 ? `${showCount(unposted)} to post` : "none waiting"
        }
      >
        <p>
          Ethereum's queue: {showCount(queue.seenIndex - queue.consumedIndex)} waiting.
          {!isFullNode && ` Posting takes about ${showDuration(estimates.postMs)}.`}
        </p>
        <p class="soft small">{heard(operator, bridge, nowMs, "It reported")}</p>
      </Part>
      <Part
        name="Ethereum"
        tone={isStalled && !isNodeAhead ? "bad" : "good"}
        state={isStalled && !isNodeAhead ? "stalled" : "up to date"}
      >
        <p>
          Block {showCount(l1?.blockNumber ?? status.l1.blockNumber)}
          {l1 === null ? ", by this server" : ", by the node that this page asks"}.
        </p>
        <p class="soft small">
          This server knows block {showCount(status.l1.blockNumber)}
          {isStalled ? `, since ${showDuration(stoodMs)}` : ""}.
        </p>
      </Part>
      {!isFullNode && (
        <Part name="To finality" tone="info" state={`about ${showDuration(toFinalMs)}`}>
          <p>
            Closing {showDuration(estimates.closeMs)}, proving {showDuration(estimates.proveMs)}, posting{" "}
            {showDuration(estimates.postMs)}, final {showDuration(estimates.finalMs ?? 0)}.
          </p>
          <p class="soft small">Medians of the last 20 batches.</p>
        </Part>
      )}
    </>
  );
}

function heard(
  operator: SequencerStatus["operator"],
  one: { heardAtMs: number } | null | undefined,
  nowMs: number,
  sentence: string,
): string {
  if (operator === undefined) return "Only the sequencer gets these reports; this is a full node.";
  return one == null
    ? "No reports since the sequencer started."
    : `${sentence} ${showAge(one.heardAtMs, nowMs)}.`;
}

/** Least amount that is shown in digits: below it they say nothing. */
const MIN_SHOWN_WEI = 1_000_000n;

function Fees({ l1 }: { l1: L1Health }) {
  const gwei = (wei: bigint) =>
    wei < MIN_SHOWN_WEI ? "less than 0.001 gwei" : `${Number(formatGwei(wei)).toPrecision(3)} gwei`;
  const ether = (wei: bigint) => `${(Number(wei) / 1e18).toPrecision(3)} ETH`;
  return (
    <section class="card stack">
      <h2>Ethereum's fees</h2>
      <dl class="facts">
        <dt>Current base fee per gas</dt>
        <dd>{l1.baseFeeWei === null ? "unknown" : gwei(l1.baseFeeWei)}</dd>
        {l1.paid.flatMap(({ batchNumber, costWei, gasPriceWei }) => [
          <dt key={batchNumber}>
            Batch <BatchLink number={batchNumber} />: gas, transaction
          </dt>,
          <dd key={`${batchNumber}=`}>
            {gwei(gasPriceWei)} · {ether(costWei)}
          </dd>,
        ])}
      </dl>
      <p class="soft small">Read from the Ethereum node: blocks and receipts.</p>
    </section>
  );
}
