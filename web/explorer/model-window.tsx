import {
  type FaultName,
  type ModelCommitmentWindow,
  type ReadAdmission,
  readAdmissions,
  readWindows,
} from "@openledger/challenger/model-commitments/read-windows";
import { readRegistry } from "@openledger/challenger/model-commitments/registry";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { useRef } from "preact/hooks";
import { type Address, formatEther, type PublicClient, zeroAddress } from "viem";
import { Badge, type Tone } from "../design/badge.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { l1Node } from "../ledger/l1-node.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount, showDuration } from "../words/format.ts";
import { Term } from "../words/term.tsx";
import { Answered } from "./answered.tsx";

/** Ethereum's blocks are 12 s apart: asking more often says nothing new. */
const LEAST_AGE_MS = 10_000;

interface Windows {
  /** null: this rollup takes every activation that is proven. */
  readonly gate: Address | null;
  readonly windows: readonly ModelCommitmentWindow[];
  readonly admission: ReadAdmission | null;
  readonly l1Seconds: bigint;
}

/** What Ethereum has of a model before it may open: model commitments, bonds, windows, what was shown. */
export function ModelWindow({ live, model, site }: PageProps & { model: LedgerModelLeaf }) {
  const client = l1Node(site);
  const rollup = live.info.value?.rollupAddress ?? null;
  const last = useRef<{ atMs: number; value: Windows } | null>(null);
  const about = `window of ${model.id} ${rollup} ${client === null}`;
  const answer = useAnswer<Windows | null>(live, about, async () => {
    if (client === null || rollup === null) return null;
    if (last.current !== null && Date.now() - last.current.atMs < LEAST_AGE_MS) return last.current.value;
    const value = await readModelWindows(client, rollup, model.id);
    last.current = { atMs: Date.now(), value };
    return value;
  });
  if (answer.value?.gate === null) return null;
  return (
    <section class="card stack" aria-label="Window of disputes">
      <h2>
        <Term name="dispute">Disputes</Term> on Ethereum
      </h2>
      <Answered
        answer={answer}
        none="This page knows no Ethereum node. Connect a wallet: its node is asked then."
      >
        {(found) => <Found {...found} isReady={model.counters.isReady} />}
      </Answered>
    </section>
  );
}

async function readModelWindows(client: PublicClient, rollup: Address, modelId: number): Promise<Windows> {
  const [gate, { timestamp }] = await Promise.all([
    client.readContract({ address: rollup, abi: rollupAbi, functionName: "activationGate" }),
    client.getBlock(),
  ]);
  if (gate === zeroAddress) return { gate: null, windows: [], admission: null, l1Seconds: timestamp };
  const [windows, admissions] =
    (await readRegistry(client, gate)) === null
      ? [[], []]
      : await Promise.all([
          readWindows(client, gate, { modelId }),
          readAdmissions(client, gate, { modelId }),
        ]);
  return {
    gate,
    windows: windows.filter((window) => window.rollup === rollup),
    admission: admissions.find((one) => one.rollup === null || one.rollup === rollup) ?? null,
    l1Seconds: timestamp,
  };
}

function Found({ admission, gate, isReady, l1Seconds, windows }: Windows & { isReady: boolean }) {
  return (
    <>
      <p class="soft">
        Before this rollup takes a model's <Term name="activation (of a model)">activation</Term>, a contract
        on Ethereum has to admit it. Until a model commitment's window ends, anyone may show one wrong place
        of the model there, and gets half of the bond.
      </p>
      <Verdict {...{ admission, isReady, l1Seconds, windows }} />
      {windows.toReversed().map((window) => (
        <ModelCommitment key={`${window.id}`} {...{ window, l1Seconds }} />
      ))}
      <div class="row small soft">
        The gate <Identifier value={gate!} label="the contract that the rollup asks" />
      </div>
    </>
  );
}

function Verdict({
  admission,
  isReady,
  l1Seconds,
  windows,
}: Pick<Windows, "admission" | "l1Seconds" | "windows"> & { isReady: boolean }) {
  if (admission !== null) {
    const how =
      admission.modelCommitmentId === null
        ? "Its registration promises no challenge window, so no one could refute it on Ethereum."
        : `By model commitment ${admission.modelCommitmentId}, whose window has ended without a wrong place.`;
    return (
      <Notice
        tone={admission.modelCommitmentId === null ? "wait" : "good"}
        title="Ethereum admits this model."
      >
        <p>
          {how} {!isReady && "Its activation is still to come."}
        </p>
      </Notice>
    );
  }
  if (windows.length === 0)
    return (
      <Notice tone="wait" title="No model commitment is posted yet, so the model cannot open for payments." />
    );
  if (windows.every(({ state }) => state === "refuted"))
    return (
      <Notice
        tone="bad"
        title="Every model commitment of this model was refuted: it cannot open for payments."
      />
    );
  if (windows.some(({ state }) => state === "counts"))
    return <Notice tone="wait" title="A window has ended. Anyone may have the model admitted now." />;
  if (windows.every(({ endsAtSeconds, state }) => state === "refuted" || endsAtSeconds <= l1Seconds))
    return <Notice tone="info" title={`Its window has ended, but ${UNDECIDED}: the model waits for it.`} />;
  return <Notice tone="info" title="Its window is open: until it ends, the model takes no payments." />;
}

/** Why a model commitment does not count yet after its window. */
const UNDECIDED = "a data-availability challenge or a game over a row is still open";

const showDate = (seconds: bigint) => new Date(Number(seconds) * 1000).toLocaleString("en-GB");

const STATES: Readonly<Record<ModelCommitmentWindow["state"], readonly [Tone, string]>> = {
  open: ["info", "window open"],
  counts: ["good", "not refuted"],
  refuted: ["bad", "refuted"],
};

function ModelCommitment({ l1Seconds, window }: { window: ModelCommitmentWindow; l1Seconds: bigint }) {
  const {
    bondWei,
    endsAtSeconds,
    family,
    id,
    openAvailabilityChallengeCount,
    owner,
    refutation,
    refutedBy,
    state,
  } = window;
  const leftSeconds = Number(endsAtSeconds - l1Seconds);
  const [tone, word] = state === "open" && leftSeconds <= 0 ? (["wait", UNDECIDED] as const) : STATES[state];
  return (
    <div class="stack">
      <div class="row">
        <h3>Model commitment {showCount(id)}</h3>
        <Badge tone={tone}>{word}</Badge>
      </div>
      <dl class="facts">
        {state !== "refuted" && (
          <>
            <dt>{leftSeconds > 0 ? "Window left" : "Window ended"}</dt>
            <dd title={showDate(endsAtSeconds)}>
              {leftSeconds > 0 ? showDuration(leftSeconds * 1000) : showDate(endsAtSeconds)}
            </dd>
          </>
        )}
        <dt>Bond</dt>
        <dd>{formatEther(bondWei)} ETH</dd>
        <dt>Posted by</dt>
        <dd>
          <Identifier value={owner} label="who posted it" />
        </dd>
        <dt>Judged by</dt>
        <dd>{family === null ? "rules that this page does not know" : JUDGED[family]}</dd>
        {openAvailabilityChallengeCount > 0 && (
          <>
            <dt>Open data-availability challenges</dt>
            <dd>{showCount(openAvailabilityChallengeCount)}</dd>
          </>
        )}
        {refutation !== null && (
          <>
            <dt>Shown to be wrong</dt>
            <dd>
              {FAULT_WORDS[refutation.fault as FaultName] ?? refutation.fault}, place{" "}
              {showCount(refutation.place)}
            </dd>
            <dt>Shown by</dt>
            <dd>
              <Identifier value={refutedBy!} label="who has refuted it" />
            </dd>
            <dt>Reward</dt>
            <dd>{formatEther(refutation.rewardWei)} ETH</dd>
          </>
        )}
      </dl>
    </div>
  );
}

const JUDGED: Readonly<Record<NonNullable<ModelCommitmentWindow["family"]>, string>> = {
  direct: "the rules of direct models",
  text: "the rules of language models",
};

/** Of every kind of model: a language model registers G, a direct model B. */
const FAULT_WORDS: Readonly<Record<FaultName, string>> = {
  Entry: "an entry of a row's features",
  Tokens: "a row's token list",
  Residual: "a row's residual",
  RowLength: "a row's length",
  Lengths: "a row that is too long",
  Factor: "a row's share or clip",
  Input: "a column of the token lists",
  Optimum: "weights off the optimum",
  RowTooLong: "a row beyond what can be shown",
  Unanswered: "data that was not shown in time",
  Cell: "a column of the features",
  Point: "a registered column",
  Statics: "the registered statics",
  VersionRow: "a row of the Datanet's version",
  Clip: "the clip's length",
  Duplicate: "a row's near-duplicate",
  Size: "how many terms a row has",
  Curvature: "an entry of the curvature",
  Inverse: "an entry of the curvature's inverse",
  Logit: "the row that answers",
  Peak: "the unit of the features",
  Digest: "a step of the columns' commitment",
  Scale: "the unit of a language model's features",
  Row: "a row's features, found by a game",
};
