/** What the ceremony is about, taking part in it, and what has been contributed. */

import type { CeremonyEntry, CeremonyInfo } from "@openledger/prover/ceremony/ceremony-api";
import { CeremonyClient } from "@openledger/prover/ceremony/ceremony-client";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { showCount, showDuration } from "../words/format.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { type Ceremony, showBytes } from "./ceremony.ts";
import { TakePart } from "./take-part.tsx";
import { TranscriptPart } from "./transcript-part.tsx";

const ASK_EVERY_MS = 3_000;

const STATES = {
  open: { tone: "good", text: "open" },
  full: { tone: "wait", text: "all contributions are in" },
  finished: { tone: "good", text: "finished" },
} as const;

export function CeremonyPage() {
  const [client] = useState(() => new CeremonyClient(document.baseURI));
  const { ceremony, problem } = useCeremony(client);
  return (
    <main id="main" class="frame-main">
      <section class="stack">
        <h1>Make a key that no one can misuse</h1>
        <p class="lead">
          Proofs of this rollup are checked by a key. Each person here adds a secret to it and forgets it. If
          one of them is honest, no one can ever forge a proof.
        </p>
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      {ceremony === null ? (
        problem === null && <p class="soft">Asking the coordinator …</p>
      ) : (
        <>
          <About info={ceremony.info} />
          <TakePart ceremony={ceremony} />
          <TranscriptPart ceremony={ceremony} />
        </>
      )}
    </main>
  );
}

function About({ info }: { info: CeremonyInfo }) {
  const { tone, text } = STATES[info.state];
  const { turn } = info;
  return (
    <section class="card stack">
      <h2>
        The key of {info.circuitName} <Badge tone={tone}>{text}</Badge>
      </h2>
      <dl class="facts">
        <dt>Contributions</dt>
        <dd>
          {showCount(info.contributionCount)} of at most {showCount(info.maxContributions)}
        </dd>
        <dt>People waiting</dt>
        <dd>{showCount(info.waitingCount)}</dd>
        <dt>Now</dt>
        <dd>
          {turn === null
            ? "nobody"
            : `${turn.name || "an unnamed contributor"}, since ${showDuration(info.nowMs - turn.sinceMs)}`}
        </dd>
        <dt>You download and upload</dt>
        <dd>{showBytes(info.roundBytes)} each</dd>
        <dt>A turn lasts at most</dt>
        <dd>{showDuration(info.turnMs)}</dd>
      </dl>
      {info.beaconNotice !== "" && info.finished === null && (
        <p class="small soft">
          It will end with a public value, so that the last person cannot choose: {info.beaconNotice}.
        </p>
      )}
    </section>
  );
}

/** Asks again and again; what is known stays where an answer does not come. */
function useCeremony(client: CeremonyClient): { ceremony: Ceremony | null; problem: Problem | null } {
  const [ceremony, setCeremony] = useState<Ceremony | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let isGone = false;
    let timer = 0;
    let entries: readonly CeremonyEntry[] = [];
    const ask = async () => {
      try {
        const info = await client.info();
        if (info.contributionCount !== entries.length) entries = await client.transcript();
        if (isGone) return;
        setCeremony({ client, info, entries });
        setProblem(null);
      } catch (error) {
        if (!isGone) setProblem(problemOf(error));
      }
      if (!isGone) timer = window.setTimeout(ask, ASK_EVERY_MS);
    };
    void ask();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [client]);
  return { ceremony, problem };
}
