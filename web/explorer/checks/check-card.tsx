/**
 * Card "Check it yourself" of the pages of batches and settlements: runs a check in the page, shows each step and a verdict. The
 * steps are in check-batch.ts and check-settlement.ts.
 */
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { useState } from "preact/hooks";
import type { PublicClient } from "viem";
import { Button } from "../../design/button.tsx";
import { type Check, Checks } from "../../design/checks.tsx";
import { Identifier } from "../../design/identifier.tsx";
import { Notice } from "../../design/notice.tsx";
import { l1Node } from "../../ledger/l1-node.ts";
import type { PageProps } from "../../ledger/page.ts";
import { type Problem, ProblemNotice, problemOf } from "../../words/problem.tsx";
import type { CheckStep, CheckTitles } from "./check-steps.ts";

interface CheckCardProps extends Pick<PageProps, "site" | "live"> {
  /** Object of the check: "batch", "settlement". */
  readonly what: string;
  readonly about: string;
  readonly titles: CheckTitles;
  readonly isPosted: boolean;
  readonly check: (
    question: { client: PublicClient; info: SequencerInfo },
    tell: (step: CheckStep) => void,
  ) => Promise<void>;
}

/** "Check this … here": the page reads Ethereum and verifies the proof itself, step by step. */
export function CheckCard({ about, check, isPosted, live, site, titles, what }: CheckCardProps) {
  const [steps, setSteps] = useState<readonly CheckStep[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const info = live.info.value;
  const client = l1Node(site);
  const run = async () => {
    setBusy(true);
    setSteps([]);
    setProblem(null);
    try {
      await check({ client: client!, info: info! }, (step) => setSteps((known) => [...known, step]));
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  const isDevelopment = info?.circuits.some((circuit) => circuit.isDevelopment) === true;
  return (
    <section class="card stack" aria-label={`Check this ${what}`}>
      <div class="row">
        <h2>Check it yourself</h2>
        <span class="push" />
        <Button
          isMain
          isBusy={isBusy}
          isDisabled={!isPosted || client === null || info === null}
          onClick={() => void run()}
        >
          Check this {what} here
        </Button>
      </div>
      <p class="soft">{about}</p>
      {!isPosted && <p>It can be checked once it is on Ethereum.</p>}
      {isPosted && client === null && (
        <p>This page has no Ethereum node. Connect a wallet to use its node.</p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {steps.length > 0 && (
        <Verdict what={what} steps={steps} titles={titles} isBusy={isBusy} isDevelopment={isDevelopment} />
      )}
      {(isBusy || steps.length > 0) && (
        <Checks label="Steps of the check" checks={checksOf(steps, titles, isBusy)} />
      )}
    </section>
  );
}

interface VerdictProps extends Pick<CheckCardProps, "what" | "titles"> {
  readonly steps: readonly CheckStep[];
  readonly isBusy: boolean;
  readonly isDevelopment: boolean;
}

function Verdict({ what, steps, titles, isBusy, isDevelopment }: VerdictProps) {
  const failed = steps.filter(({ state }) => state === "failed");
  if (failed.length > 0) {
    return (
      <Notice tone="bad" title={`The check of this ${what} failed.`}>
        <p>Failed: {failed.map(({ name }) => `“${titles[name]}”`).join(", ")}. See the difference below.</p>
      </Notice>
    );
  }
  if (isBusy) return null;
  if (!steps.some(({ name, state }) => name === "proof" && state === "done"))
    return <Notice tone="wait" title="Everything on Ethereum matches, but the proof is not there." />;
  return (
    <Notice tone="good" title={`This ${what} is correct, by Ethereum and by your own computation.`}>
      {isDevelopment && (
        <p>This is a development key. Anyone could forge a proof for it, so this says nothing about money.</p>
      )}
    </Notice>
  );
}

function checksOf(steps: readonly CheckStep[], titles: CheckTitles, isBusy: boolean): Check[] {
  const known = new Map(steps.map((step) => [step.name, step]));
  const names = Object.keys(titles);
  const isDone = (name: string) => known.has(name) && known.get(name)!.state !== "current";
  const next = names.find((name) => !isDone(name));
  // Steps that a failed one leaves nothing for are not listed.
  const shown = names.filter((name) => known.has(name) || isBusy);
  return shown.map((name) => {
    const step = known.get(name);
    const state = step?.state ?? (name === next ? "current" : "ahead");
    return { name, title: titles[name], state, children: step && <StepText step={step} /> };
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
