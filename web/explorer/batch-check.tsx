import { useState } from "preact/hooks";
import { createPublicClient, custom, http, type PublicClient } from "viem";
import { getBatch } from "../../client/sequencer/ledger-reads.ts";
import type { LedgerBatch } from "../../client/sequencer/sequencer-schemas.ts";
import { Button } from "../design/button.tsx";
import { type Check, Checks } from "../design/checks.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import type { Site } from "../ledger/site.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { CHECK_NAMES, CHECK_TITLES, type CheckStep } from "./check-steps.ts";

/** "Check this batch here": the page reads Ethereum and verifies the proof itself, step by step. */
export function BatchCheck({ site, live, batch }: PageProps & { batch: LedgerBatch }) {
  const [steps, setSteps] = useState<readonly CheckStep[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const info = live.info.value;
  const client = l1Client(site);
  const isPosted = batch.l1TransactionHash != null && ["posted", "final"].includes(batch.status);
  const run = async () => {
    setBusy(true);
    setSteps([]);
    setProblem(null);
    try {
      const [{ checkBatch }, { default: keys }, before] = await Promise.all([
        import("./check-batch.ts"),
        import("virtual:verifying-keys"),
        batch.number === 1 ? null : getBatch(site.sequencer, batch.number - 1),
      ]);
      const asked = {
        client: client!,
        rollupAddress: info!.rollupAddress,
        batch,
        keys,
        transactionBefore: before?.l1TransactionHash ?? null,
      };
      await checkBatch(asked, (step) => setSteps((known) => [...known, step]));
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const isDevelopment = info?.circuits.some((circuit) => circuit.isDevelopment) === true;
  return (
    <section class="card stack" aria-label="Check this batch">
      <div class="row">
        <h2>Check it yourself</h2>
        <span class="push" />
        <Button
          isMain
          isBusy={isBusy}
          isDisabled={!isPosted || client === null || info === null}
          onClick={() => void run()}
        >
          Check this batch here
        </Button>
      </div>
      <p class="soft">
        Your browser reads the batch from Ethereum, computes C, z and y again, and verifies the proof with the
        key that came with this page. The server that shows you this page is not believed.
      </p>
      {!isPosted && <p>It can be checked as soon as it is on Ethereum.</p>}
      {isPosted && client === null && (
        <p>This page knows no Ethereum node. Connect a wallet: its node is asked then.</p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {steps.length > 0 && <Verdict steps={steps} isBusy={isBusy} isDevelopment={isDevelopment} />}
      {(isBusy || steps.length > 0) && <Checks label="Steps of the check" checks={checksOf(steps, isBusy)} />}
    </section>
  );
}

function Verdict({
  steps,
  isBusy,
  isDevelopment,
}: {
  steps: readonly CheckStep[];
  isBusy: boolean;
  isDevelopment: boolean;
}) {
  const failed = steps.filter(({ state }) => state === "failed");
  if (failed.length > 0) {
    return (
      <Notice tone="bad" title="This batch does not check out.">
        <p>
          Failed: {failed.map(({ name }) => `“${CHECK_TITLES[name]}”`).join(", ")}. What differs is said
          below.
        </p>
      </Notice>
    );
  }
  if (isBusy) return null;
  if (steps.some(({ state }) => state === "skipped"))
    return <Notice tone="wait" title="Everything that is on Ethereum fits; the proof is not there." />;
  return (
    <Notice tone="good" title="This batch is right, by Ethereum and by your own computation.">
      {isDevelopment && (
        <p>
          The key is a development one: anyone could forge a proof for it, so this says nothing about money.
        </p>
      )}
    </Notice>
  );
}

/** Any Ethereum node: the page's, else the wallet's. */
function l1Client({ l1Url }: Site): PublicClient | null {
  if (l1Url !== null) return createPublicClient({ transport: http(l1Url) });
  const provider = session.value?.wallet.provider;
  return provider === undefined ? null : createPublicClient({ transport: custom(provider) });
}

function checksOf(steps: readonly CheckStep[], isBusy: boolean): Check[] {
  const known = new Map(steps.map((step) => [step.name, step]));
  const next = CHECK_NAMES.find((name) => !known.has(name));
  // What a failed step leaves nothing for is not listed.
  const shown = CHECK_NAMES.filter((name) => known.has(name) || isBusy);
  return shown.map((name) => {
    const step = known.get(name);
    const state = step?.state ?? (name === next ? "current" : "ahead");
    return { name, title: CHECK_TITLES[name], state, children: step && <StepText step={step} /> };
  });
}

function StepText({ step: { text, values, error } }: { step: CheckStep }) {
  return (
    <>
      <p class="soft">{text}</p>
      {error !== undefined && <ProblemNotice problem={problemOf(error)} />}
      {values !== undefined && (
        <div class="row small soft">
          {values.map(([name, value]) => (
            <span key={name}>
              {name} <Identifier value={value} label={name} />
            </span>
          ))}
        </div>
      )}
    </>
  );
}
